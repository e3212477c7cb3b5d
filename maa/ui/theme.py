"""The looks: one quiet theme, light and dark."""

from __future__ import annotations

import gradio as gr
from gradio.themes.utils.fonts import LocalFont

ACCENT = gr.themes.Color(
    c50="#effcf9",
    c100="#d0f5ee",
    c200="#a3e9df",
    c300="#6dd6ca",
    c400="#3dbcb0",
    c500="#14938a",
    c600="#0f7a73",
    c700="#0d635e",
    c800="#0e4f4c",
    c900="#0f4240",
    c950="#042726",
    name="sea",
)
GREY = gr.themes.Color(
    c50="#f7f8fa",
    c100="#eef0f3",
    c200="#e0e4e9",
    c300="#c8cfd8",
    c400="#929daa",
    c500="#66717f",
    c600="#4a5461",
    c700="#343c47",
    c800="#20262e",
    c900="#171b21",
    c950="#0f1216",
    name="slate",
)

# What each part looks like: (light, dark); None = Gradio's own, or no such setting.
LOOKS = {
    "body_background_fill": ("*neutral_50", "*neutral_950"),
    "body_text_color_subdued": ("*neutral_500", "*neutral_400"),
    "background_fill_primary": ("white", "*neutral_900"),
    "background_fill_secondary": ("*neutral_100", "*neutral_800"),
    "border_color_primary": ("*neutral_200", "*neutral_700"),
    "block_background_fill": ("white", "*neutral_900"),
    "block_label_text_color": ("*neutral_600", "*neutral_300"),
    "block_title_text_color": ("*neutral_700", "*neutral_200"),
    "block_title_text_weight": ("600", None),
    "block_title_text_size": ("*text_sm", None),
    "block_padding": ("12px 14px", None),
    "block_info_text_color": ("*neutral_500", "*neutral_400"),
    "block_shadow": ("none", None),
    "input_background_fill": ("white", "*neutral_950"),
    "input_border_width": ("1px", None),
    "input_border_color": ("*neutral_300", "*neutral_700"),
    "input_placeholder_color": ("*neutral_500", "*neutral_400"),
    "input_border_color_focus": ("*primary_500", "*primary_400"),
    "button_primary_background_fill": ("*primary_600", "*primary_600"),
    "button_primary_background_fill_hover": ("*primary_700", "*primary_700"),
    "button_primary_text_color": ("white", None),
    "button_secondary_background_fill": ("white", "*neutral_800"),
    "button_secondary_background_fill_hover": ("*neutral_100", "*neutral_700"),
    "button_secondary_border_color": ("*neutral_300", "*neutral_600"),
    "button_border_width": ("1px", None),
    "button_large_text_size": ("*text_md", None),
    "button_large_padding": ("9px 18px", None),
    "color_accent": ("*primary_600", None),
    "slider_color": ("*primary_500", "*primary_500"),
    "link_text_color": ("*primary_600", "*primary_400"),
    "link_text_color_visited": ("*primary_600", "*primary_400"),
    "checkbox_border_color": ("*neutral_400", "*neutral_500"),
    "checkbox_background_color_selected": ("*primary_600", "*primary_600"),
    "error_text_color": ("#a12d2d", "#f0a3a3"),
}


def theme() -> gr.themes.Base:
    """Fonts come with Gradio, so nothing is fetched from elsewhere; its semi-bold files lack most letters."""
    light = {name: values[0] for name, values in LOOKS.items()}
    dark = {f"{name}_dark": values[1] for name, values in LOOKS.items() if values[1]}
    return gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=GREY,
        radius_size=gr.themes.sizes.radius_md,
        font=[LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"],
    ).set(**light, **dark)
