"""A contact sheet: some images of every class or hour side by side, as a PNG to look at."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import InputError
from ..files import write_atomically
from .dataset import Data

COLUMNS = 20
SCALE = 2
SMALL = 64  # pixels of a side; larger images are shown as they are
GAP = 2


def write_contact_sheet(data: Data, path: Path) -> None:
    """Write the first `COLUMNS` training images of each, one row per class or hour.

    Small ones are doubled.
    """
    if not path.name:
        raise InputError(f"cannot write the contact sheet '{path}': it names no file")
    names, train, _ = data.sort()
    height, width, _ = data.image_shape
    scale = SCALE if height <= SMALL else 1
    step_y, step_x = height * scale + GAP, width * scale + GAP
    sheet = np.full((step_y * len(names), step_x * COLUMNS, 3), 255, np.uint8)
    for row in range(len(names)):
        for column, position in enumerate(np.flatnonzero(train.labels == row)[:COLUMNS]):
            image = train.images[position].repeat(scale, axis=0).repeat(scale, axis=1)
            y, x = row * step_y, column * step_x
            sheet[y : y + image.shape[0], x : x + image.shape[1]] = image
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, format="PNG")
    try:
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        raise InputError(f"cannot write the contact sheet {path}: {error.strerror}") from None
