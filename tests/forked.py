"""`python -m svhn_tune ...` in a process of its own, without the seconds that imports take.

The process is forked from one that has imported KerasTuner (and with it TensorFlow); its workers
train by softmax_engine. It can be killed, interrupted and waited for like any other.
"""

import multiprocessing
import os
import sys

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["svhn_tune.stages.search_loop", "svhn_tune.report.page"])


def start(arguments, stderr=os.devnull):
    """The process that runs these arguments of the command line."""
    process = CONTEXT.Process(target=_run, args=(list(map(str, arguments)), str(stderr)))
    process.start()
    return process


def _run(arguments, stderr):
    for number, path in ((1, os.devnull), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    from svhn_tune.cli import main
    from svhn_tune.training import engine

    engine.DEFAULT = "softmax_engine"
    sys.argv = ["svhn_tune", *arguments]
    main()
