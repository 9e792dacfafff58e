"""Draw a folder of images: circles, squares and triangles, 120 of each, in JPEG and PNG.

`python models/shapes/draw_shapes.py [FOLDER]`; FOLDER is by default `images` beside this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SHAPES = ("circle", "square", "triangle")
EACH = 120


def main(folder: Path = HERE / "images") -> None:
    """Draw them, the same ones each time."""
    from PIL import Image, ImageDraw

    random = np.random.default_rng(1)
    for shape in SHAPES:
        (folder / shape).mkdir(parents=True, exist_ok=True)
        for number in range(EACH):
            width, height = random.integers(48, 80, 2).tolist()
            dark, light = random.integers(0, 90, 3), random.integers(150, 256, 3)
            back, front = (dark, light) if number % 2 else (light, dark)
            noise = random.normal(0, 12, (height, width, 3)) + back
            image = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
            radius = min(width, height) * random.uniform(0.3, 0.42)
            x, y = width / 2 + random.uniform(-4, 4), height / 2 + random.uniform(-4, 4)
            turn = random.uniform(0, 2 * np.pi)
            pen, colour = ImageDraw.Draw(image), tuple(int(v) for v in front)
            if shape == "circle":
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
            else:
                corners = 4 if shape == "square" else 3
                angles = turn + 2 * np.pi * np.arange(corners) / corners
                points = [(x + radius * np.cos(a), y + radius * np.sin(a)) for a in angles]
                pen.polygon(points, fill=colour)
            ending = "png" if number % 3 == 0 else "jpg"
            image.save(folder / shape / f"{number:03d}.{ending}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
