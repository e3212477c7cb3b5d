"""Make-An-Audio's app: `python app.py`, then open the address that it prints. Hugging Face Spaces runs this file, too.

The page is there first; the model, and PyTorch with it, is loaded once the page is served. Environment: MAA_MODEL,
MAA_DEVICE, MAA_DTYPE, MAA_CHECKPOINTS.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maa.starting import stay_awake

STOPPED = 130  # exit code after Ctrl-C


def stop_at_once(*_: Any) -> None:
    """End without a word more: on Ctrl-C while nothing is served yet, and on another one while the app ends."""
    os._exit(STOPPED)


def stop_in_order(*_: Any) -> None:
    """End the serving; whoever presses Ctrl-C again wants it at once."""
    signal.signal(signal.SIGINT, stop_at_once)
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGINT, stop_at_once)  # imports take seconds
    stay_awake()

with contextlib.suppress(ImportError, AttributeError):
    import spaces  # Spaces asks for this before PyTorch

    spaces.disable_gradio_auto_wrap()  # `maa.ui.lending` borrows the GPU, and for jobs alone

if TYPE_CHECKING:
    from maa import MakeAnAudio
    from maa.ui import LoadingModel


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    environ = os.environ
    parser = argparse.ArgumentParser(description="Make-An-Audio in the browser.", allow_abbrev=False)
    parser.add_argument("--model", default=environ.get("MAA_MODEL") or "small", help="name, folder or hub id")
    parser.add_argument(
        "--device", default=environ.get("MAA_DEVICE") or None, help="auto or, say, cpu; default: the best"
    )
    parser.add_argument("--dtype", help="float32 or bfloat16; default: MAA_DTYPE, else the device's own")
    everyone = "0.0.0.0" if environ.get("SPACE_ID") else ""  # the Space's own proxy asks from outside
    host = environ.get("GRADIO_SERVER_NAME") or everyone or "127.0.0.1"
    parser.add_argument("--host", default=host, help="0.0.0.0 = everyone")
    parser.add_argument("--port", type=int, help="default: the first free one from 7860")
    parser.add_argument("--mcp", action="store_true", help="offer the endpoints as MCP tools; needs gradio[mcp]")
    return parser.parse_args(argv)


def promised(name: str, device: str | None, dtype: str | None = None) -> tuple[LoadingModel, Path]:
    """The model, which begins to load once somebody asks for it or `begin` is called, and the folder of its weights.

    Raises:
        ValueError: there is no such model, device or precision. What is wrong inside a model's files shows in the page.
    """
    from maa import checkpoint
    from maa.config import TINY
    from maa.device import checked_device, checked_dtype
    from maa.starting import starting
    from maa.ui import LoadingModel
    from maa.ui.lending import lent

    def load() -> MakeAnAudio:
        with starting():
            from maa import MakeAnAudio  # here, because it brings PyTorch, and the page comes first

            return MakeAnAudio.from_pretrained(name, device, dtype)

    checked_device(device)
    checked_dtype(dtype)
    if name == "tiny":
        return LoadingModel(load, TINY, here=lent(), later=True), checkpoint.root()
    folder = checkpoint.find(name)
    config = None
    with contextlib.suppress(ValueError):
        config, _ = checkpoint.read_config(folder)
    card = folder / "README.md"
    return LoadingModel(load, config, card, here=lent(), later=True), folder


def main(argv: list[str] | None = None) -> int:
    """Serve the app until it is interrupted. Returns the exit code."""
    options = arguments(argv)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported, which is below
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    from maa.ui import Address, build, launch

    try:
        model, weights = promised(options.model, options.device, options.dtype)
        page = build(model)
        url = launch(page, Address(options.host, options.port), private=(weights,), mcp=options.mcp)
    except (ValueError, OSError) as error:  # OSError: the port is taken
        print(f"app: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    model.begin()
    print(f"Make-An-Audio is at {url}", flush=True)
    if signal.getsignal(signal.SIGINT) is stop_at_once:
        signal.signal(signal.SIGINT, stop_in_order)
    page.block_thread()
    return 0


def run() -> None:
    """The program: what Ctrl-C does is settled, whenever it is pressed."""
    gc.disable()  # until the model is loaded, see `starting`
    code = main()
    signal.signal(signal.SIGINT, stop_at_once)
    sys.exit(code)


if __name__ == "__main__":
    run()
