"""Colours that carry meaning, for the map and the charts, by light and by dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from plotly.colors import hex_to_rgb, sequential

ThemeName: TypeAlias = Literal["light", "dark"]

_STOPS = np.array([hex_to_rgb(stop) for stop in sequential.Cividis], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a chart. The data colours are Okabe and Ito's, lighter for dark."""

    text: str
    muted: str
    grid: str
    median: str
    band: str
    single: str
    fit: str
    forecast: str
    failed: str


THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        text="#1B2430",
        muted="#5B6776",
        grid="#E9ECF0",
        median="#0072B2",
        band="rgba(0, 114, 178, 0.14)",
        single="rgba(91, 103, 118, 0.38)",
        fit="#A94F00",
        forecast="#00765A",
        failed="#C62828",
    ),
    "dark": Theme(
        text="#E6EAF0",
        muted="#9AA7B6",
        grid="#2A323D",
        median="#56B4E9",
        band="rgba(86, 180, 233, 0.18)",
        single="rgba(154, 167, 182, 0.38)",
        fit="#F0A94A",
        forecast="#3ECF97",
        failed="#FF7B72",
    ),
}


def cividis(fraction: float) -> str:
    """Colour of a confluence on a scale that is fixed from 0 to 1.

    Examples
    --------
    >>> cividis(0), cividis(1)
    ('#00224e', '#fee838')
    """
    place = np.clip(fraction, 0, 1) * (len(_STOPS) - 1)
    channels = [np.interp(place, np.arange(len(_STOPS)), stop) for stop in _STOPS.T]
    return "#" + "".join(f"{round(float(channel)):02x}" for channel in channels)


def ink_on(fill: str | None) -> str:
    """Black or white: what can be read on a colour. Empty where there is no colour.

    Examples
    --------
    >>> ink_on("#00224e"), ink_on("#fee838")
    ('#ffffff', '#000000')
    """
    if fill is None:
        return ""
    # Relative luminance of WCAG 2; above 0.179 black has the higher contrast.
    channels = np.array(hex_to_rgb(fill)) / 255
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return "#000000" if luminance > 0.179 else "#ffffff"
