"""Threads whose failures are the test's."""
import threading


class Threads:
    """All begin at the same moment; join() gives their results in order, or the first failure."""

    def __init__(self, functions):
        functions = list(functions)
        self.gate, self.results, self.failures = threading.Barrier(len(functions)), [None] * len(functions), []
        self.threads = [threading.Thread(target=self._run, args=x, daemon=True) for x in enumerate(functions)]
        for t in self.threads:
            t.start()

    def _run(self, i, function):
        try:
            self.gate.wait()
            self.results[i] = function()
        except BaseException as e:
            self.failures.append(e)

    def join(self):
        for t in self.threads:
            t.join()
        if self.failures:
            raise self.failures[0]
        return self.results


def together(*functions):
    return Threads(functions).join()
