"""A model's configuration as plain data: what is in it, and whether Keras may be given it at all.

Nothing here imports Keras, or loads what a configuration names.
"""

import builtins
from collections.abc import Iterator
from typing import Any

MODELS = {"keras", "keras.models", "keras.src.models.functional", "keras.src.models.sequential"}
PARTS = {
    f"keras.{part}"
    for part in ("activations", "constraints", "dtype_policies", "initializers", "regularizers")
}
COMPILED = {f"keras.{part}" for part in ("losses", "metrics", "optimizers", "optimizers.schedules")}
# The modules that Keras names for its own objects; any other class is the file's author's.
MODULES = MODELS | PARTS | COMPILED | {"keras.layers"}
# Keras's own layers that run what a file holds.
RUNS_CODE = {"Lambda", "__lambda__", "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"}
# Plain values in a configuration; arrays and the types of tensors, of any size, are none.
VALUES = {"__keras_tensor__", "__tuple__", "__slice__", "__ellipsis__"}
# Keras's models and layers that hold their weights and nothing else: no file, no table.
_PLAIN = """
    Sequential Functional InputLayer Activation ReLU Softmax LeakyReLU PReLU ELU Flatten Dense
    Conv1D Conv2D Conv3D Conv2DTranspose DepthwiseConv2D SeparableConv2D Identity Reshape Permute
    MaxPooling2D AveragePooling2D GlobalMaxPooling2D GlobalAveragePooling2D ZeroPadding2D Cropping2D
    UpSampling2D Dropout SpatialDropout1D SpatialDropout2D AlphaDropout GaussianDropout
    GaussianNoise ActivityRegularization BatchNormalization LayerNormalization GroupNormalization
    UnitNormalization Add Subtract Multiply Average Maximum Minimum Concatenate Rescaling
    Normalization Resizing CenterCrop RandomBrightness RandomContrast RandomCrop RandomFlip
    RandomRotation RandomTranslation RandomZoom
"""
PLAIN = set(_PLAIN.split())
MOST_LAYERS = 500


def walk(node: Any) -> Iterator[tuple[int, Any]]:
    """Everything in a configuration with its depth, however deep it is."""
    stack = [(0, node)]
    while stack:
        depth, node = stack.pop()
        yield depth, node
        if isinstance(node, dict | list | tuple):
            children = node.values() if isinstance(node, dict) else node
            stack += [(depth + 1, child) for child in children]


def find_objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a configuration: layers, initializers, dtype policies, functions, ..."""
    for _, found in walk(node):
        if isinstance(found, dict) and isinstance(found.get("class_name"), str):
            yield found


def find_code(config: dict[str, Any]) -> list[str]:
    """The classes and functions of a configuration that Keras would run, or import, to load it.

    Safe mode alone is not enough: Keras 3.10 lets a file switch it off (CVE-2025-9906), and some of
    its layers run what they hold.
    """
    return sorted({found["class_name"] for found in find_objects(config) if _brings_code(found)})


def _brings_code(found: dict[str, Any]) -> bool:
    name, module = found["class_name"], found.get("module")
    if name in RUNS_CODE:
        return True
    if name.startswith("__"):  # plain values, or what `find_refusal` knows nothing of
        return False
    if name == "function" and module == "builtins":  # so Keras calls its own metrics
        return hasattr(builtins, str(found.get("config")))
    return not isinstance(module, str) or module not in MODULES


def find_refusal(config: dict[str, Any]) -> str | None:
    """Why Keras should not be given a model's configuration, if it should not.

    Its compile settings, where it has them, are searched for code only.
    """
    if code := find_code(config):
        return f"it would run code for {', '.join(code)}"
    model = strip_compiled(config)
    if unknown := sorted({found["class_name"] for found in find_objects(model) if _odd(found)}):
        return f"what {', '.join(unknown)} would do is not known"
    layers = sum(found.get("module") == "keras.layers" for found in find_objects(model))
    return f"it has {layers:,} layers" if layers > MOST_LAYERS else None


def _odd(found: dict[str, Any]) -> bool:
    """Whether an object of a model is neither a plain layer nor a part of one."""
    name, module = found["class_name"], found.get("module")
    if name.startswith("__"):
        return name not in VALUES
    if name == "function" or module in PARTS or (module, name) == ("keras", "DTypePolicy"):
        return False
    return name not in PLAIN


def strip_compiled(node: Any) -> Any:
    """A configuration without how its model, and models inside it, were compiled."""
    if isinstance(node, list):
        return [strip_compiled(child) for child in node]
    if not isinstance(node, dict):
        return node
    return {key: strip_compiled(value) for key, value in node.items() if key != "compile_config"}
