"""Colours and font of the figures and the page, light and dark."""

from dataclasses import dataclass

import plotly.graph_objects as go

BLUE, GREEN, VERMILLION, PURPLE = "#0072B2", "#009E73", "#D55E00", "#CC79A7"
ORANGE, BROWN = "#E69F00", "#7A5200"
"""From the palette of Okabe and Ito (2008), distinguishable with colour blindness; brown
outlines orange, which is faint on white."""

BRIGHTER = {BLUE: "#56B4E9", GREEN: "#2DC79B", VERMILLION: "#F0803C", PURPLE: "#E39CC4"}
BRIGHTER |= {ORANGE: "#FFB81F", BROWN: "#FFE3A6"}
"""The same colours on a dark background."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"


@dataclass(frozen=True)
class Theme:
    """The colours of one scheme; ``weak`` to ``strong`` colours lines,
    ``blank`` to ``full`` cells."""

    paper: str
    panel: str
    ink: str
    muted: str
    line: str
    accent: str
    blank: str
    weak: str
    middle: str
    strong: str
    full: str

    def variables(self) -> str:
        """Return the colours as CSS custom properties."""
        return " ".join(f"--{name}: {value};" for name, value in vars(self).items())

    def template(self) -> go.layout.Template:
        """Return the Plotly template of the scheme."""
        axis = {
            "gridcolor": self.line,
            "linecolor": self.muted,
            "zeroline": False,
            "ticks": "outside",
            "tickcolor": self.muted,
            "automargin": True,
        }
        scale = [[0, self.weak], [0.5, self.middle], [1, self.strong]]
        shares = [[0, self.blank], [1, self.full]]
        return go.layout.Template(
            data={"heatmap": [{"colorscale": shares}]},
            layout={
                "font": {"family": FONT, "size": 13, "color": self.ink},
                "paper_bgcolor": self.paper,
                "plot_bgcolor": self.paper,
                "xaxis": axis,
                "yaxis": axis,
                "scene": {
                    side: {"gridcolor": self.line, "color": self.ink, "showbackground": False}
                    for side in ("xaxis", "yaxis", "zaxis")
                },
                "coloraxis": {
                    "colorscale": scale,
                    "colorbar": {"thickness": 10, "outlinewidth": 0, "tickfont": {"size": 12}},
                },
                "hoverlabel": {
                    "bgcolor": self.panel,
                    "bordercolor": self.muted,
                    "font": {"color": self.ink, "size": 12, "family": FONT},
                    "align": "left",
                },
                "legend": {
                    "orientation": "h",
                    "y": 1.07,
                    "yanchor": "bottom",
                    "x": 0,
                    "font": {"size": 12},
                },
                "margin": {"l": 64, "r": 16, "t": 56, "b": 56},
            },
        )


LIGHT = Theme(
    paper="#ffffff",
    panel="#f6f8fa",
    ink="#1b1f24",
    muted="#59636e",
    line="#dfe3e8",
    accent="#005a8f",
    blank="#eef2f5",
    weak="#a9c1d1",
    middle="#56a5d6",
    strong="#003f66",
    full="#0072B2",
)
DARK = Theme(
    paper="#14181d",
    panel="#1e242b",
    ink="#e8ecf1",
    muted="#9ba7b4",
    line="#323b45",
    accent="#6cb8ea",
    blank="#20272e",
    weak="#3d5566",
    middle="#3f8fc4",
    strong="#d3ecff",
    full="#2a86c2",
)
