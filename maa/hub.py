"""Models on the Hugging Face hub: fetched once into the local cache, and uploaded."""

from __future__ import annotations

from pathlib import Path

PATTERNS = ["*.json", "*.safetensors", "*.md", "*.txt"]  # nothing that could run


def is_id(name: str) -> bool:
    """True for "user/model" and "user/model@revision", unless a file or folder has that name."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()


def download(name: str) -> Path:
    """The local folder of "user/model" or "user/model@revision"; fetched when it is not there yet.

    Raises:
        ValueError: no such model, no network, or no permission.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=PATTERNS))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ValueError(f"Cannot get the model {name!r} from the hub: {_reason(error)}") from error


def upload(folder: Path, repository: str, *, private: bool = False) -> str:
    """Put a model folder on the hub as "user/model", which is made if need be; gives back its address.

    The token is the one that `hf auth login` or HF_TOKEN left. Raises ValueError when the hub refuses.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    hub = HfApi()
    try:
        address = hub.create_repo(repository, private=private, exist_ok=True)
        hub.upload_folder(
            folder_path=folder, repo_id=repository, allow_patterns=PATTERNS, commit_message="Add the model"
        )
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise ValueError(f"Cannot put the model on the hub as {repository!r}: {_reason(error)}") from error
    return str(address)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
