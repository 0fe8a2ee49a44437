"""The table a run prints: a row a scenario."""

from collections import Counter

COLUMNS = ("scenario", "requests", "answered", "5xx by code", "executions",
           "effects", "duplicates", "remarks")


class Tally:
    def __init__(self, seed):
        self.seed = seed
        self.rows = []

    def row(self, scenario, load, service, effects=None, remarks=""):
        """`effects`: how often each request's happened, by number. Without:
        registrations, of which each made a user's grant."""
        failures = Counter(str(code_of(service, answer))
                           for answer in load.failures())
        counts = Counter(effects or {})
        self.rows.append((
            scenario, len(load.answers),
            sum(isinstance(a.outcome, int) for a in load.answers),
            " ".join(f"{code}:{n}" for code, n in sorted(failures.items()))
            or "-", int(service.executions(idp=load.order.idp)),
            sum(counts.values()), sum(n - 1 for n in counts.values() if n > 1),
            remarks))
        return failures

    def note(self, scenario, requests, answered, effects, remarks):
        """Of a scenario with clients of its own, which judged all itself."""
        self.rows.append((scenario, requests, answered, "-", "", effects, 0,
                          remarks))

    def text(self):
        lines = [f"seed {self.seed}", "| " + " | ".join(COLUMNS) + " |",
                 "|" + "---|" * len(COLUMNS)]
        lines += ["| " + " | ".join(map(str, row)) + " |" for row in self.rows]
        return "\n".join(lines)


def code_of(service, answer):
    """What the gateway's log says of a failed request: 3015, or the status
    where no script ran."""
    if answer.outcome != 500:
        return answer.outcome
    return service.code_of(answer.correlation_id)
