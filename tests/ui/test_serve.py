"""How the page is served: to whom, and from which folders."""

from __future__ import annotations

import os
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio.utils import get_upload_folder

from maa.ui.serve import Address, host_of, hosts_of, launch, use_own_folder


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:1", "LOCALHOST", "[::1]:7860"])
def test_local_names_are_answered(base_url: str, host: str) -> None:
    assert httpx.get(f"{base_url}/config", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "", "[", "a@localhost.b"]
)
@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/upload", "/gradio_api/file=x", "/gradio_api/queue/join"])
def test_a_foreign_name_that_leads_here_is_refused(base_url: str, host: str, path: str) -> None:
    """A page elsewhere, whose name points to this computer, must not read what is served here."""
    for method in ("GET", "POST"):
        answer = httpx.request(method, base_url + path, headers={"host": host, "origin": f"http://{host}"})
        assert answer.status_code == 421 and "MAA_HOSTS" in answer.text


FILE = [("files", ("a.wav", b"RIFF"))]


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1.evil.example:80"},
     {"origin": "http://localhost", "sec-fetch-site": "cross-site"}, {"sec-fetch-site": "cross-site"}],
)  # fmt: skip
def test_another_web_page_sends_nothing(base_url: str, headers: dict[str, str]) -> None:
    """Browsers let any page send a form with a file anywhere, without asking there first."""
    for path, sent in (("upload", {"files": FILE}), ("queue/join", {"json": {}}), ("reset", {"content": b"{}"})):
        answer = httpx.post(f"{base_url}/gradio_api/{path}", headers=headers, **sent)
        assert answer.status_code == 403 and "Another web page" in answer.text
    assert httpx.get(f"{base_url}/config", headers=headers).status_code == 200  # of which it reads nothing


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "http://localhost:3000"}, {"origin": "http://[::1]:7860"}, {"sec-fetch-site": "same-origin"},
     {"origin": "https://outer.example", "sec-fetch-site": "same-origin"}],
)  # fmt: skip
def test_programs_and_the_own_page_send(base_url: str, headers: dict[str, str]) -> None:
    """The last one's browser came through a proxy that names another host to us than to it."""
    assert httpx.post(f"{base_url}/gradio_api/upload", headers=headers, files=FILE).status_code == 200


def test_who_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start for others, and one on a host's machine, do not know their own name; a proxy's can be given."""
    local = {"localhost", "127.0.0.1", "::1"}
    assert hosts_of(Address()) == hosts_of(Address("localhost", 7000)) == local
    assert hosts_of(Address("0.0.0.0")) is None and hosts_of(Address("192.168.1.2")) is None
    monkeypatch.setenv("MAA_HOSTS", "Sounds.example, other.example")
    monkeypatch.setenv("GRADIO_ROOT_PATH", "https://proxy.example/maa")
    assert hosts_of(Address()) == local | {"sounds.example", "other.example", "proxy.example"}
    monkeypatch.setenv("SPACE_ID", "somebody/space")
    assert hosts_of(Address()) is None
    assert [host_of(one) for one in ("a.example:80", "[::1]:7860", "[", "")] == ["a.example", "::1", None, None]


def test_answers_hand_out_only_what_is_offered_or_was_made_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a handler names, and whenever it came: Gradio would copy from the working and the temporary folder."""
    for name in ("work/assets", "work/private", "tmp/gradio"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "tmp/gradio"))
    with gr.Blocks() as page:
        path, file = gr.Textbox(), gr.File()
        path.change(lambda name: name, path, file, api_name="give")
    url = launch(page, Address(), assets=tmp_path / "work/assets", private=(tmp_path / "work/assets/weights",))
    try:
        given = {}
        for name in ("work/late.txt", "work/private/a.txt", "work/.env", "tmp/late.txt", "tmp/other/a.txt",
                     "work/assets/weights/a.txt", "work/assets/a.txt", "tmp/gradio/a.txt"):  # fmt: skip
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("what is in it")  # after the start
            event = httpx.post(f"{url}/gradio_api/call/give", json={"data": [str(tmp_path / name)]}).json()["event_id"]
            given[name] = "event: complete" in httpx.get(f"{url}/gradio_api/call/give/{event}").text
        assert [name for name, came in given.items() if came] == ["work/assets/a.txt", "tmp/gradio/a.txt"]
        (tmp_path / "work/assets/link").symlink_to(tmp_path / "work/late.txt")
        event = httpx.post(f"{url}/gradio_api/call/give", json={"data": ["assets/link"]}).json()["event_id"]
        assert "event: error" in httpx.get(f"{url}/gradio_api/call/give/{event}").text
    finally:
        page.close()


def test_a_port_that_is_in_use(base_url: str, tmp_path: Path) -> None:
    port = int(base_url.rsplit(":", 1)[1])
    with gr.Blocks() as page, pytest.raises(ValueError, match=f"^Port {port} is in use; choose another one.$"):
        launch(page, Address(port=port), assets=tmp_path)


def test_uploads_lie_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    use_own_folder()
    folder = Path(get_upload_folder())
    assert folder.parent == tmp_path and folder.name.startswith("make-an-audio-") and folder.stat().st_mode & 0o77 == 0
    use_own_folder()
    assert Path(get_upload_folder()) == folder, "the same one again, so that a restart keeps the takes of the day"
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    folder.rmdir()
    folder.symlink_to(tmp_path)  # somebody else's trap
    use_own_folder()
    assert Path(get_upload_folder()) != folder and os.stat(get_upload_folder()).st_mode & 0o77 == 0
