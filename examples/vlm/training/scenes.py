# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes: 3x3 grids of real handwritten digits, drawn from disjoint pools of digits.

The digits are the 1797 images of 8x8 pixels (grey values 0..16) of the UCI
"Optical Recognition of Handwritten Digits" test set, which ship inside
scikit-learn.  Each of the three splits owns its own digits, so a digit that
appears in a test scene was never seen in training or in calibration.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

GRID = 3  # cells per side of a scene
CELL = 8  # pixels per side of a cell
IMAGE_SIZE = GRID * CELL

# Of every class of digit, 10 % go to calibration, 20 % to test, the rest to training.
CALIBRATION_SHARE, TEST_SHARE = 0.10, 0.20
SPLIT_SEED = 20240


class DigitPool:
    """The digits of one split.

    images: float32 [n, 8, 8] with values in 0..16; labels: int [n].
    """

    def __init__(self, images, labels):
        self.images = torch.tensor(images, dtype=torch.float32)
        self.labels = labels
        self.by_class = [np.flatnonzero(labels == digit) for digit in range(10)]

    def __len__(self):
        return len(self.labels)

    def draw(self, digits, rng):
        """One image [8, 8] at random for each digit of `digits`, as [len(digits), 8, 8]."""
        return self.images[[rng.choice(self.by_class[digit]) for digit in digits]]


def load_pools():
    """The three disjoint pools, stratified by class: {"train", "calibration", "test"}."""
    data = load_digits()
    rng = np.random.default_rng(SPLIT_SEED)
    members = {"train": [], "calibration": [], "test": []}
    for digit in range(10):
        index = rng.permutation(np.flatnonzero(data.target == digit))
        calibration_end = round(CALIBRATION_SHARE * len(index))
        test_end = calibration_end + round(TEST_SHARE * len(index))
        members["calibration"].append(index[:calibration_end])
        members["test"].append(index[calibration_end:test_end])
        members["train"].append(index[test_end:])
    pools = {}
    for name, parts in members.items():
        index = np.sort(np.concatenate(parts))
        pools[name] = DigitPool(data.images[index], data.target[index])
    return pools


def random_grid(rng):
    """Nine digits in row-major order, drawn from a palette of 3 to 10 classes.

    Small palettes repeat digits, which spreads the answers of the counting and
    comparing questions over more values than nine independent digits would.
    """
    palette = rng.sample(range(10), rng.randint(3, 10))
    return [rng.choice(palette) for _ in range(GRID * GRID)]


def augment(cells, generator):
    """Cells [n, 8, 8] under small random rotations, scalings, shears, shifts and noise.

    There are only about 1260 training digits, so the vision tower would learn
    them by heart otherwise.  A quarter of the cells keep their shape.
    """
    n = len(cells)

    def uniform(limit):
        return (torch.rand(n, generator=generator) * 2 - 1) * limit

    changed = (torch.rand(n, generator=generator) < 0.75).float()
    angle = uniform(math.radians(15)) * changed
    scale_x, scale_y = 1 + uniform(0.15) * changed, 1 + uniform(0.12) * changed
    shear = uniform(0.2) * changed
    # grid_sample measures shifts in half widths of the image.
    shift_x, shift_y = uniform(2 / CELL) * changed, uniform(1.5 / CELL) * changed
    cos, sin = torch.cos(angle), torch.sin(angle)
    affine = torch.stack(
        [
            torch.stack([cos * scale_x, shear - sin, shift_x], dim=1),
            torch.stack([sin, cos * scale_y, shift_y], dim=1),
        ],
        dim=1,
    )
    where = F.affine_grid(affine, (n, 1, CELL, CELL), align_corners=False)
    cells = F.grid_sample(cells[:, None], where, align_corners=False)[:, 0]
    contrast = 1 + uniform(0.15)[:, None, None]
    noise = torch.randn(cells.shape, generator=generator) * 0.6
    return (cells * contrast + noise).clamp(0, 16)


def compose(cells):
    """Cells [n * 9, 8, 8] with values 0..16 to normalised images [n, 3, 24, 24] in -1..1.

    The scale is a power of two, so the pixels of real digits are exact in F16.
    """
    scenes = cells.view(-1, GRID, GRID, CELL, CELL).transpose(2, 3)
    scenes = scenes.reshape(-1, 1, IMAGE_SIZE, IMAGE_SIZE) / 8 - 1
    return scenes.expand(-1, 3, -1, -1).contiguous()


def render(grids, pool, rng, generator=None):
    """Images [n, 3, 24, 24] of n grids; augmented when a torch generator is given."""
    cells = torch.cat([pool.draw(grid, rng) for grid in grids])
    if generator is not None:
        cells = augment(cells, generator)
    return compose(cells)
