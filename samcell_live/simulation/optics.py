"""From phase delay to what a phase-contrast objective shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Map

RING_TRANSMISSION = np.float32(0.5)
"""Amplitude that the phase ring lets through."""
HALO_UM = (2.4, 6.0)
"""Widths of the light that the ring takes for undiffracted: bright rim and shade-off."""
RESOLUTION_UM = 0.8
"""Sigma of the diffraction blur of a 10x objective."""
DEFOCUS = 0.22
"""Blur, in micrometres, per micrometre away from the focal plane."""


def phase_contrast(delay_rad: Map, pixel_size_um: float) -> Map:
    """Image a phase object in positive phase contrast.

    The object bends the light: exp(i delay). The ring dims the undiffracted part and
    sets it back by a quarter wave, but catches some of what thick and wide things
    diffract as well. That gives the bright halo, the shade-off inside wide cells and the
    bright rings of round ones (Zernike's method, its ring as a mixture of Gaussians).

    Parameters
    ----------
    delay_rad : (height, width) float32
        Phase delay against empty medium, in radians.
    pixel_size_um : float
        Size of a pixel in the sample.

    Returns
    -------
    (height, width) float32
        Intensity, 1 where there is nothing.
    """
    real, imaginary = np.cos(delay_rad), np.sin(delay_rad)
    direct_real = _through_ring(real, pixel_size_um)
    direct_imaginary = _through_ring(imaginary, pixel_size_um)
    seen_real = real - direct_real + RING_TRANSMISSION * direct_imaginary
    seen_imaginary = imaginary - direct_imaginary - RING_TRANSMISSION * direct_real
    intensity = (seen_real**2 + seen_imaginary**2) / RING_TRANSMISSION**2
    return np.asarray(intensity, np.float32)


def _through_ring(wave: Map, pixel_size_um: float) -> Map:
    narrow, wide = (blurred(wave, width_um / pixel_size_um) for width_um in HALO_UM)
    return (narrow + wide) / np.float32(2)


def focused(image: Map, z_um: float, pixel_size_um: float) -> Map:
    """Blur an image by diffraction, and by its distance from the focal plane."""
    return blurred(image, float(np.hypot(RESOLUTION_UM, DEFOCUS * z_um)) / pixel_size_um)


def blurred(image: Map, sigma_px: float) -> Map:
    """Blur with a Gaussian."""
    blurry = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurry, np.float32)
