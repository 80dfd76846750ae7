"""What the rounds come to: medians, spread, and the ratio with its confidence interval."""

import random
from dataclasses import dataclass
from statistics import median

RESAMPLES = 2000


@dataclass
class Ratio:
    value: float
    low: float
    high: float
    rounds: int

    def ahead(self, metric):
        """Whether kettle is, for sure: the whole interval says so, and there were rounds enough to have one."""
        return self.rounds >= 3 and (self.low > 1 if metric.more_is_better else self.high < 1)

    def turned(self):
        """peer / kettle."""
        return Ratio(1 / self.value, 1 / self.high, 1 / self.low, self.rounds)


def paired_ratio(ours, theirs):
    """The median of the rounds' ratios ours / theirs, and its 95 % interval: the percentile bootstrap (Efron, 1979),
    over rounds, since those share what the machine was like. None where a figure is zero."""
    if not ours or len(ours) != len(theirs) or min(ours) <= 0 or min(theirs) <= 0:
        return None
    ratios = [our / their for our, their in zip(ours, theirs)]
    random_source = random.Random(1)
    medians = sorted(median(random_source.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return Ratio(median(ratios), medians[int(RESAMPLES * 0.025)], medians[int(RESAMPLES * 0.975) - 1],
                 len(ratios))


class Results:
    """The figures of all rounds, by workload, peer and metric."""

    def __init__(self):
        self.rounds = {}
        self.failures = {}
        self.rates = {}  # of the open loops, by workload

    def add(self, workload, peer, found):
        for metric in workload.metrics:
            self.rounds.setdefault((workload.name, peer.name, metric.name), []).append(found[metric.name])

    def fail(self, workload, peer, why):
        """Who has failed once has no figures."""
        self.failures[workload.name, peer.name] = why
        for metric in workload.metrics:
            self.rounds.pop((workload.name, peer.name, metric.name), None)

    def failed(self, workload, peer):
        return (workload.name, peer.name) in self.failures

    def of(self, workload, peer, metric):
        return self.rounds.get((workload.name, peer.name, metric.name), [])

    def ratio(self, workload, peer, metric):
        """kettle / peer."""
        ours = self.rounds.get((workload.name, "kettle", metric.name), [])
        return None if peer.name == "kettle" else paired_ratio(ours, self.of(workload, peer, metric))

    def objects(self, workloads, peers):
        """What --json prints."""
        for workload in workloads:
            for peer in peers:
                for metric in workload.metrics:
                    rounds = self.of(workload, peer, metric)
                    if not rounds:
                        continue
                    found = {"workload": workload.name, "peer": peer.name, "metric": metric.name,
                             "unit": metric.unit, "median": median(rounds), "min": min(rounds), "max": max(rounds),
                             "rounds": len(rounds)}
                    ratio = self.ratio(workload, peer, metric)
                    if ratio:
                        found.update(ratio=ratio.value, ratio_low=ratio.low, ratio_high=ratio.high)
                    yield found
