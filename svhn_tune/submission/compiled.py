"""How a model is compiled, read from its configuration and compared with the space's protocol.

A loaded optimizer does not show whether its rate is a schedule's, and Keras builds whatever a
configuration says: so Keras is asked here for defaults only.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from ..space.space import Space
from .configuration import walk
from .verdict import Check

# What changes nothing: names, and what is only read where another setting asks for it.
FREE = {"name", "learning_rate", "ema_momentum", "ema_overwrite_frequency"}
# What can be the right one: of these, every setting is looked at.
DEFAULTS = {
    made.__name__: made
    for made in (
        keras.losses.CategoricalCrossentropy,
        keras.losses.MeanSquaredError,
        keras.losses.MeanAbsoluteError,
        keras.losses.Huber,
        keras.metrics.CategoricalAccuracy,
    )
}
# A metric may ask for thresholds or classes by the billion.
LARGEST_NUMBER = 1_000


def check_compiled(compiled: Any, space: Space) -> list[Check]:
    """The rules on a model's `compile_config`: loss, metric, optimizer and the rest.

    Where all are kept, Keras may compile the model by it.
    """
    names = ("loss", "metric", "optimizer", "compile settings")
    if not isinstance(compiled, dict) or not compiled:
        seen = "not compiled" if not compiled else "compile_config is no object"
        return [Check(name, False, seen) for name in names[:3]]
    others, on_dial = _find_others(compiled, space), space.task.on_dial
    return [
        _check_loss(compiled.get("loss"), [head.loss for head in space.task.heads]),
        # Minutes around a dial are no metric of Keras's.
        _check_metrics(compiled.get("metrics"), None if on_dial else space.objective.metric),
        check_optimizer(compiled.get("optimizer"), space),
        Check("compile settings", not others, ", ".join(others) or "none beside these"),
    ]


def _check_loss(given: Any, asked: list[str]) -> Check:
    # One output has one loss, which Keras also takes in a list, or by the output's name.
    losses = list(_each(given))
    seen, wanted = ", ".join(map(_describe, losses)) or "none", ", ".join(asked)
    return Check("loss", seen == wanted, seen if seen == wanted else f"{seen}; expected {wanted}")


def _check_metrics(given: Any, asked: str | None) -> Check:
    metrics = list(_each(given))
    seen = list(map(_describe, metrics))
    found = asked in (None, "loss", *seen)
    odd = [name for name, metric in zip(seen, metrics, strict=True) if not _is_small(metric)]
    detail = ", ".join(seen) or "none"
    if odd:
        detail = f"{', '.join(odd)}: no metric, or too large to try"
    elif not found:
        detail += f"; expected {asked}"
    return Check("metric", found and not odd, detail)


def check_optimizer(given: Any, space: Space, values: Mapping[str, Any] | None = None) -> Check:
    """The rule on a serialised optimizer.

    Args:
        given: it.
        space: its protocol says which is asked for; its hyperparameters, what may vary of that.
        values: of the trial, where they are known: then its own optimizer is asked for.
    """
    asked = space.protocol if values is None else space.protocol.with_values(values)
    varied = space.hyperparameters if values is None else {}
    names = varied["optimizer"].extremes if "optimizer" in varied else [asked.optimizer]
    name, settings = _take_apart(given)
    seen = name.lower()
    ok = seen in names
    default = keras.optimizers.get(seen if ok else asked.optimizer).get_config()
    rate = settings.get("learning_rate", default["learning_rate"])
    free = "learning_rate" in varied
    if isinstance(rate, int | float) and not isinstance(rate, bool):
        seen += f" with the rate {rate:g}"
        # Keras keeps the rate in float32.
        ok &= free or math.isclose(rate, asked.learning_rate, rel_tol=1e-6)
    else:
        seen += f" with the schedule {_take_apart(rate)[0]}"
        ok = False
    if name.lower() in names:
        if "momentum" in default and "momentum" in varied:
            if varied["momentum"].allows(settings.get("momentum")):
                settings = settings | {"momentum": default["momentum"]}
        elif asked.momentum:
            default["momentum"] = asked.momentum
        if changes := _find_changes(settings, default):
            seen += f" and {', '.join(changes)}"
            ok = False
    wanted = " or ".join(names)
    wanted += " with one rate" if free else f" with the rate {asked.learning_rate:g}"
    if asked.momentum:
        wanted += f" and momentum={asked.momentum:g}"
    return Check("optimizer", ok, seen if ok else f"{seen}; expected {wanted}")


def check_loaded_rate(
    optimizer: keras.optimizers.Optimizer, space: Space, values: Mapping[str, Any] | None = None
) -> Check | None:
    """The optimizer, if the file's weights give it another rate than its configuration."""
    asked = space.protocol.with_values(values or {}).learning_rate
    rate, free = float(optimizer.learning_rate), values is None
    free &= "learning_rate" in space.hyperparameters
    if free or math.isclose(rate, asked, rel_tol=1e-6):
        return None
    return Check("optimizer", False, f"the rate {rate:g} among its weights; expected {asked:g}")


def _find_others(compiled: dict[str, Any], space: Space) -> list[str]:
    """Other settings that `compile` was given, and that change something."""
    neutral: dict[str, tuple[Any, ...]] = {
        "loss_weights": (None,),
        "steps_per_execution": (None, 1),
        "run_eagerly": (None, False, True),
        "jit_compile": (None, False, True, "auto"),
        "auto_scale_loss": (None, False, True),
        "weighted_metrics": (None, []),
    }
    passed = {"loss", "metrics", "optimizer"}
    if _weighs_heads(compiled.get("loss_weights"), space):
        passed.add("loss_weights")
    return [
        f"{key}={value!r}"
        for key, value in compiled.items()
        if key not in passed and value not in neutral.get(key, ())
    ]


def _weighs_heads(weights: Any, space: Space) -> bool:
    """Whether they are weights that the losses of the space's two heads may have."""
    if len(space.task.heads) < 2 or not isinstance(weights, list) or len(weights) != 2:
        return False
    declared = space.hyperparameters.get("minute_weight")
    if declared is None:
        return weights == [1, 1]
    low, high = min(declared.extremes), max(declared.extremes)
    second = weights[1]
    return weights[0] == 1 and isinstance(second, int | float) and low <= second <= high


def _each(given: Any) -> Iterator[Any]:
    """The losses or metrics that `compile` was given: none, one, a list, or by output."""
    if isinstance(given, dict) and not isinstance(given.get("class_name"), str):
        given = list(given.values())
    if isinstance(given, list):
        for one in given:
            yield from _each(one)
    elif given is not None:
        yield given


def _take_apart(given: Any) -> tuple[str, dict[str, Any]]:
    """The name and the settings of a serialised object or function."""
    if not isinstance(given, dict) or not isinstance(given.get("class_name"), str):
        return (given if isinstance(given, str) else repr(given)), {}
    config = given.get("config")
    if given["class_name"] == "function":
        return str(config), {}
    return given["class_name"], config if isinstance(config, dict) else {"config": config}


def _describe(given: Any) -> str:
    """A loss or metric as Keras names its function, with the settings that are not its defaults."""
    name, settings = _take_apart(given)
    if not isinstance(given, dict) or given.get("class_name") == "function":
        # Keras takes "accuracy" for the categorical one where the loss is.
        return "categorical_accuracy" if name in ("accuracy", "acc") else name
    snake = re.sub("(?<!^)(?=[A-Z])", "_", name).lower()
    if name not in DEFAULTS:
        return snake
    changes = _find_changes(settings, DEFAULTS[name]().get_config())
    return f"{snake} with {', '.join(changes)}" if changes else snake


def _find_changes(settings: dict[str, Any], default: dict[str, Any]) -> list[str]:
    return [
        f"{key}={value!r}"
        for key, value in settings.items()
        if key not in FREE and not _is_same(value, default.get(key))
    ]


def _is_same(value: Any, default: Any) -> bool:
    if isinstance(value, int | float) and isinstance(default, int | float):
        return math.isclose(value, default, rel_tol=1e-6)
    if isinstance(value, dict) and isinstance(default, str):  # a dtype, in full and in short
        return (value.get("config") or {}).get("name") == default
    return value == default or (value in (None, False) and default in (None, False))


def _is_small(metric: Any) -> bool:
    """Whether Keras may make a metric, whatever it is."""
    numbers = [found for _, found in walk(metric) if isinstance(found, int | float)]
    made = isinstance(metric, dict) and metric.get("class_name") != "function"
    known = not made or metric.get("module") == "keras.metrics"
    return known and all(abs(number) <= LARGEST_NUMBER for number in numbers)
