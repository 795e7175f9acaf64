"""From phase delay to what a phase-contrast objective shows."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]

RING_TRANSMISSION = 0.5
"""Amplitude that the phase ring lets through."""
HALO_UM = (1.9, 6.0)
"""Widths of the light that the ring takes for undiffracted: bright rim and shade-off."""
HALO_SHARE = (0.5, 0.5)
RESOLUTION_UM = 0.45
"""Sigma of the diffraction blur of a 10x objective."""
DEFOCUS = 0.22
"""Blur, in micrometres, per micrometre away from the focal plane."""


def phase_contrast(phase_rad: Map, pixel_size_um: float) -> Map:
    """Image a phase object in positive phase contrast.

    The object bends the light: exp(i phase). The ring dims the undiffracted part and
    sets it back by a quarter wave, but catches some of what thick and wide things
    diffract as well, which gives the bright halo, the shade-off of wide cells and the
    bright rings of round ones.

    Parameters
    ----------
    phase_rad : (height, width) float32
        Phase delay against empty medium, in radians.
    pixel_size_um : float
        Size of a pixel in the sample.

    Returns
    -------
    (height, width) float32
        Intensity, 1 where there is nothing.
    """
    real, imaginary = np.cos(phase_rad), np.sin(phase_rad)
    direct_real, direct_imaginary = (
        sum(
            (
                np.float32(share) * blurred(part, width_um / pixel_size_um)
                for share, width_um in zip(HALO_SHARE, HALO_UM, strict=True)
            ),
            np.float32(0),
        )
        for part in (real, imaginary)
    )
    ring = np.float32(RING_TRANSMISSION)
    seen_real = real - direct_real + ring * direct_imaginary
    seen_imaginary = imaginary - direct_imaginary - ring * direct_real
    intensity = (seen_real**2 + seen_imaginary**2) / ring**2
    return np.asarray(intensity, np.float32)


def focused(image: Map, z_um: float, pixel_size_um: float) -> Map:
    """Blur an image by diffraction, and by its distance from the focal plane."""
    sigma_um = np.hypot(RESOLUTION_UM, DEFOCUS * z_um)
    return blurred(image, float(sigma_um) / pixel_size_um)


def blurred(image: Map, sigma_px: float) -> Map:
    """Blur with a Gaussian; widths that do not matter leave the image as it is."""
    if sigma_px < 0.05:
        return image
    blurry = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurry, np.float32)
