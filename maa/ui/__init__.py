"""The app: `build` makes the page around a pipeline, `launch` serves it. Importing this package imports Gradio."""

from maa.ui import gradio_first as gradio_first
from maa.ui.model import LoadingModel
from maa.ui.page import build as build
from maa.ui.serve import Address as Address
from maa.ui.serve import launch as launch

__all__ = ["Address", "LoadingModel", "build", "launch"]
