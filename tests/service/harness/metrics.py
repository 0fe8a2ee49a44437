"""Reading /metrics: the Prometheus text format."""

import re

SERIES = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One reading."""

    def __init__(self, text):
        self.series = []
        for line in text.splitlines():
            found = SERIES.match(line)
            if found:
                labels = dict(LABEL.findall(found[2] or ""))
                self.series.append((found[1], labels, float(found[3])))

    def sum(self, name, **labels):
        """All series of the name that carry these label values."""
        return sum(value for series, own, value in self.series
                   if series == name and labels.items() <= own.items())
