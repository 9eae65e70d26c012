"""An architecture in the words of assignment PW04: "Layer 1: CONV D=32, w=h=3, S=1, P=same"."""

from collections.abc import Sequence

from .layer_types import Layer

# What the text's table leaves out: what changes no weights and no shapes but the vector's.
UNSAID = ("Activation", "Flatten", "Rescaling")
POOLS = {"MaxPooling2D": "MAXPOOL", "AveragePooling2D": "AVGPOOL"}


def say_architecture(layers: Sequence[Layer]) -> str:
    """The layers in order, numbered as in the text, where ReLU and Flatten go without saying."""
    said = [say_layer(layer) for layer in layers if layer.type not in UNSAID]
    return "; ".join(f"Layer {number}: {words}" for number, words in enumerate(said, start=1))


def say_layer(layer: Layer) -> str:
    """One layer: D filters of w times h, stride S, padding P; units; a rate; its penalties."""
    arguments = layer.arguments
    penalties = [
        f", {name.upper()}={weight:g}"
        for name, weight in arguments.get("kernel_regularizer", {}).items()
    ]
    if layer.type == "Conv2D":
        stride, size = arguments.get("strides", 1), arguments["kernel_size"]
        words = f"CONV D={arguments['filters']}, w=h={size}, S={stride}, P={arguments['padding']}"
    elif layer.type in POOLS:
        pool, words = arguments["pool_size"], POOLS[layer.type]
        words += "" if pool == 2 else f" w=h={pool}, S={pool}"
    elif layer.type == "Dense":
        words = f"DENSE {arguments['units']}"
    elif "rate" in arguments:
        words = f"{layer.type.removesuffix('2D').upper()} {arguments['rate']:g}"
    else:
        words = layer.type.upper()
    return words + "".join(penalties)
