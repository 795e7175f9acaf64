"""From phase delay to what an objective shows, by contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from samcell_live.simulation.arrays import Map

RING_TRANSMISSION = np.float32(0.5)
"""Amplitude that the phase ring lets through."""
DEFOCUS = 0.22
"""Blur, in micrometres, per micrometre away from the focal plane."""
WAVELENGTH_UM = 0.55


@dataclass(frozen=True, slots=True)
class Optics:
    """An objective; unless something is said, one of 10x for phase contrast."""

    halo_um: tuple[float, float] = (2.4, 6.0)
    """Widths of the light that a phase ring takes for undiffracted: bright rim and
    shade-off."""
    resolution_um: float = 0.8
    """Sigma of the diffraction blur."""
    shear_um: tuple[float, float] = (0.35, -0.35)
    """By how much DIC parts its two beams along rows and columns."""
    bias_rad: float = 1.2
    """Phase between the two beams of DIC where there is nothing."""
    plane_um: float = 6.0
    """Distance from the cells at which bright field is focused, to see them at all."""


TEN_FOLD = Optics()


def phase_contrast(delay_rad: Map, pixel_size_um: float, optics: Optics = TEN_FOLD) -> Map:
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
    optics : Optics

    Returns
    -------
    (height, width) float32
        Intensity, 1 where there is nothing.
    """
    widths_px = [width_um / pixel_size_um for width_um in optics.halo_um]
    real, imaginary = np.cos(delay_rad), np.sin(delay_rad)
    direct_real = _through_ring(real, widths_px)
    direct_imaginary = _through_ring(imaginary, widths_px)
    seen_real = real - direct_real + RING_TRANSMISSION * direct_imaginary
    seen_imaginary = imaginary - direct_imaginary - RING_TRANSMISSION * direct_real
    intensity = (seen_real**2 + seen_imaginary**2) / RING_TRANSMISSION**2
    return np.asarray(intensity, np.float32)


def _through_ring(wave: Map, widths_px: list[float]) -> Map:
    narrow, wide = (blurred(wave, width_px) for width_px in widths_px)
    return (narrow + wide) / np.float32(2)


def differential_contrast(
    delay_rad: Map, pixel_size_um: float, optics: Optics = TEN_FOLD
) -> Map:
    """Image a phase object in differential interference contrast (Nomarski's).

    Two images, `optics.shear_um` apart, interfere: 1 - cos(bias + difference of delay),
    over its value where there is nothing. Parameters are those of `phase_contrast`.
    """
    y_px, x_px = (shift_um / pixel_size_um / 2 for shift_um in optics.shear_um)
    difference = _moved(delay_rad, y_px, x_px) - _moved(delay_rad, -y_px, -x_px)
    bias = np.float32(optics.bias_rad)
    return np.asarray((1 - np.cos(difference + bias)) / (1 - np.cos(bias)), np.float32)


def bright_field(delay_rad: Map, pixel_size_um: float, optics: Optics = TEN_FOLD) -> Map:
    """Image a phase object in bright field, out of focus, where it acts as a lens.

    The transport of intensity equation to first order: 1 - z / k laplacian(delay), with k
    the wave number (Teague, JOSA 73 (1983) 1434). Parameters are those of `phase_contrast`.
    """
    wave_number = 2 * np.pi / WAVELENGTH_UM
    smooth = blurred(delay_rad, optics.resolution_um / pixel_size_um)
    curvature = cv2.Laplacian(smooth, cv2.CV_32F, borderType=cv2.BORDER_REFLECT)
    bend = np.float32(optics.plane_um / wave_number / pixel_size_um**2)
    return np.asarray(np.clip(1 - bend * np.asarray(curvature), 0.05, 2.0), np.float32)


def focused(
    image: Map, z_um: float, pixel_size_um: float, optics: Optics = TEN_FOLD
) -> Map:
    """Blur an image by diffraction, and by its distance from the focal plane."""
    sigma_um = float(np.hypot(optics.resolution_um, DEFOCUS * z_um))
    return blurred(image, sigma_um / pixel_size_um)


def blurred(image: Map, sigma_px: float) -> Map:
    """Blur with a Gaussian."""
    blurry = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurry, np.float32)


def _moved(image: Map, y_px: float, x_px: float) -> Map:
    step = np.array([[1, 0, x_px], [0, 1, y_px]], np.float32)
    height, width = image.shape
    moved = cv2.warpAffine(
        image, step, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(moved, np.float32)
