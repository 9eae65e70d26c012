"""A model's configuration in the words of Keras 3.10, the oldest that TensorFlow 2.20 goes with.

A constructor of Keras refuses keys that it does not know, even where they have their default. The
tables were compared with Keras 3.10.0, 3.11.3, 3.12.1, 3.13.2, 3.14.0 and 3.15.1. Nothing here
deals with weights or archives.
"""

import inspect
from importlib import import_module
from typing import Any

from ..errors import InputError
from .configuration import VALUES, find_objects

OLDEST = (3, 10)
NEWEST = (3, 15)  # the newest that was compared

_LAYER = "name trainable dtype "
_WEIGHTED = (
    "kernel_initializer bias_initializer kernel_regularizer bias_regularizer activity_regularizer "
    "kernel_constraint bias_constraint activation use_bias "
)
_OPTIMIZER = (
    "name learning_rate weight_decay clipnorm global_clipnorm clipvalue use_ema ema_momentum "
    "ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps "
)
_POOLING = _LAYER + "pool_size padding strides data_format"

# What the constructors of Keras 3.10 accept, for all that a model of ours may consist of.
KEYS = {
    "Sequential": _LAYER + "layers build_input_shape",
    "Functional": "name trainable layers input_layers output_layers",
    "InputLayer": "name dtype batch_shape sparse ragged optional",
    "Conv2D": _LAYER
    + _WEIGHTED
    + "filters kernel_size strides padding data_format dilation_rate groups",
    "Dense": _LAYER + _WEIGHTED + "units",
    "Flatten": _LAYER + "data_format",
    "MaxPooling2D": _POOLING,
    "AveragePooling2D": _POOLING,
    "Add": _LAYER,
    "Dropout": _LAYER + "rate seed noise_shape",
    "SpatialDropout2D": _LAYER + "rate seed data_format",
    "Activation": _LAYER + "activation",
    "Rescaling": _LAYER + "scale offset",
    "ReLU": _LAYER + "max_value negative_slope threshold",
    "Softmax": _LAYER + "axis",
    "BatchNormalization": _LAYER
    + "axis momentum epsilon center scale synchronized beta_initializer gamma_initializer "
    "moving_mean_initializer moving_variance_initializer beta_regularizer gamma_regularizer "
    "beta_constraint gamma_constraint",
    "DTypePolicy": "name",
    "GlorotUniform": "seed",
    "GlorotNormal": "seed",
    "HeUniform": "seed",
    "HeNormal": "seed",
    "LecunUniform": "seed",
    "LecunNormal": "seed",
    "RandomNormal": "seed mean stddev",
    "Zeros": "",
    "Ones": "",
    "L1": "l1",
    "L2": "l2",
    "L1L2": "l1 l2",
    "Adam": _OPTIMIZER + "beta_1 beta_2 epsilon amsgrad",
    "AdamW": _OPTIMIZER + "beta_1 beta_2 epsilon amsgrad",
    "SGD": _OPTIMIZER + "momentum nesterov",
    "RMSprop": _OPTIMIZER + "rho momentum epsilon centered",
    "CategoricalCrossentropy": "name reduction from_logits label_smoothing axis",
    "CategoricalAccuracy": "name dtype",
}
KNOWN = {name: frozenset(keys.split()) for name, keys in KEYS.items()}
# The keys that were added since, with the first version that accepts them.
LATER = {
    "quantization_config": (3, 13),
    "renorm": (3, 14),
    "renorm_clipping": (3, 14),
    "renorm_momentum": (3, 14),
    "input_axes": (3, 15),
    "output_axes": (3, 15),
}


def strip_config(config: dict[str, Any]) -> dict[str, Any]:
    """A model's configuration that every Keras from 3.10 on accepts, and that says the same.

    Left out is what later versions added, where it is null or the constructor's default, and
    `jit_compile`, which Keras resolved for the machine that trained: the loading one's "auto".

    Raises:
        InputError: it has a setting that Keras 3.10 does not know, or weights are not float32.
    """
    for found in find_objects(config):
        _refuse(found)
    stripped = _strip(config)
    stripped.get("compile_config", {}).pop("jit_compile", None)
    if stripped["class_name"] == "Functional":
        _unwrap_ends(stripped["config"])
    return stripped


def _unwrap_ends(settings: dict[str, Any]) -> None:
    """The one input and the one output as themselves, not as lists of one, which Keras 3.10 writes.

    It and later ones take both, but warn of images that come in no list.
    """
    for key in ("input_layers", "output_layers"):
        if len(settings[key]) == 1:
            settings[key] = settings[key][0]


def _strip(node: Any) -> Any:
    if isinstance(node, list):
        return [_strip(child) for child in node]
    if not isinstance(node, dict):
        return node
    drop = set(_later_keys(node))
    return {
        key: _strip(
            {name: setting for name, setting in value.items() if name not in drop}
            if key == "config" and drop
            else value
        )
        for key, value in node.items()
    }


def _refuse(found: dict[str, Any]) -> None:
    name, settings = found["class_name"], found.get("config")
    if not isinstance(settings, dict) or name in VALUES:
        return
    what = f"'{settings['name']}' ({name})" if "name" in settings else name
    if name not in KNOWN:
        raise InputError(
            f"{what} is not known to load in Keras 3.10: a file for every Keras cannot hold it"
        )
    policy = settings.get("name") if name == "DTypePolicy" else settings.get("dtype")
    if isinstance(policy, str) and policy != "float32" and name != "InputLayer":
        raise InputError(
            f"{what} has the dtype policy {policy}; a file for every Keras has float32"
        )
    for key in _later_keys(found):
        if settings[key] is not None and settings[key] != _default(found, key):
            raise InputError(
                f"{what} has {key}={settings[key]!r}, which Keras 3.10 does not know: a file for "
                f"every Keras cannot hold it"
            )


def _later_keys(found: dict[str, Any]) -> list[str]:
    """The keys of an object that Keras 3.10 does not know."""
    known, settings = KNOWN.get(str(found.get("class_name"))), found.get("config")
    if known is None or not isinstance(settings, dict):
        return []
    return [key for key in settings if key not in known]


def _default(found: dict[str, Any], key: str) -> Any:
    made = getattr(import_module(found["module"]), found["class_name"])
    parameter = inspect.signature(made.__init__).parameters.get(key)
    return None if parameter is None else parameter.default


def find_first_version(config: dict[str, Any]) -> tuple[tuple[int, int] | None, list[str]]:
    """The first Keras that loads a configuration, from 3.10 on, and what makes it so.

    The version is None where it is not known, because of a class that is not in `KNOWN`; it is
    above `NEWEST` where a key is.
    """
    unknown: set[str] = set()
    later: dict[str, tuple[int, int]] = {}
    for found in find_objects(config):
        if not isinstance(found.get("config"), dict) or found["class_name"].startswith("__"):
            continue
        if found["class_name"] not in KNOWN:
            unknown.add(found["class_name"])
        for key in _later_keys(found):
            later[f"{key} of {found['class_name']}"] = LATER.get(key, (NEWEST[0], NEWEST[1] + 1))
    if unknown:
        return None, sorted(unknown)
    first = max(later.values(), default=OLDEST)
    return first, sorted(what for what, version in later.items() if version == first)
