"""The first filters of the ResNet50 of `keras.applications`, read from its file of weights.

Nothing is downloaded: Keras keeps the file where it is looked for once somebody has used the model.
"""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context

from ..errors import InputError
from .style import STYLE, WIDTH, Chart

# With and without the classifier; the first layer is the same.
FILES = (
    "resnet50_weights_tf_dim_ordering_tf_kernels.h5",
    "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
)
SHAPE = (7, 7, 3, 64)
COLUMNS = 8


@rc_context(STYLE)
def draw_resnet50_filters(weights: str | Path | None = None) -> Chart:
    """The 64 filters of ResNet50's first layer, trained on ImageNet, each as a picture in colours.

    Args:
        weights: the file; by default where `keras.applications` keeps it on this machine.

    Raises:
        InputError: the file is not there, or is another one.
    """
    filters = _read_filters(_find_file() if weights is None else Path(weights))
    height, width, _, count = filters.shape
    rows = math.ceil(count / COLUMNS)
    chart = Chart(0.5 + rows * WIDTH / COLUMNS)
    for number, axes in enumerate(chart.subplots(rows, COLUMNS).flat):
        axes.axis("off")
        picture = filters[..., number] / (np.abs(filters[..., number]).max() or 1.0)
        axes.imshow(0.5 + picture / 2)
    chart.suptitle(
        f"ResNet50, trained on ImageNet: the {count} filters of {height} x {width} of its first "
        f"layer,\neach in shares of its largest weight; grey is zero",
        x=0.01,
        ha="left",
    )
    return chart


def _find_file() -> Path:
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    folder = Path(home) / "models"
    for name in FILES:
        if (folder / name).is_file():
            return folder / name
    raise InputError(
        f"ResNet50's weights are not on this machine: there is no {FILES[1]} in {folder}, and "
        f"nothing is downloaded here. Where there is a network, keras.applications.ResNet50("
        f"include_top=False) puts it there; or give its path"
    )


def _read_filters(path: Path) -> np.ndarray:
    """The kernel of the first layer, (7, 7, 3, 64), its channels red, green, blue."""
    import h5py

    found: list[Any] = []
    try:
        with h5py.File(path) as file:
            # The only layer of the network with a kernel of 7 x 7; its name has changed.
            file.visititems(lambda _, item: found.append(item) if _is_kernel(item) else None)
            kernels = [np.array(each, dtype=float) for each in found]
    except OSError as error:
        raise InputError(f"{path} cannot be read as ResNet50's weights: {error}") from None
    if len(kernels) != 1 or not np.isfinite(kernels[0]).all():
        raise InputError(
            f"{path} does not hold ResNet50's weights: it has {len(kernels)} sound arrays of the "
            f"shape {SHAPE}, not 1"
        )
    # The network was trained on blue, green, red: `preprocess_input` turns images round, too.
    return kernels[0][:, :, ::-1]


def _is_kernel(item: Any) -> bool:
    return getattr(item, "shape", None) == SHAPE and item.dtype.kind == "f"
