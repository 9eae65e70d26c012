"""When a run is asked to stop, in tests."""


class AfterQuestions:
    """Says stop when it has been asked so often."""

    def __init__(self, count):
        self.left = count

    def __call__(self):
        self.left -= 1
        return self.left < 0
