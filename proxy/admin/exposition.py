"""The figures of ``/stats`` in Prometheus' text format, by the table ``metrics.catalogue.METRICS``.

Hot counters stay plain integers: this collector reads them when a scrape comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast, final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from proxy.metrics import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proxy.admin.snapshot import House
    from proxy.metrics.histogram import Histogram

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def exposition(house: House) -> bytes:
    """One scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(house))
    return generate_latest(registry)


@final
class _Figures(Collector):
    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterable[Metric]:
        stats = self._house.stats()
        for metric in catalogue.METRICS:
            if metric.kind == "histogram":
                yield _histogram(metric, self._house.latencies())
            else:
                yield _plain(metric, _section(stats, metric.section))


def _section(stats: catalogue.Stats, path: str) -> Mapping[str, float | None]:
    """The figures under a dotted path."""
    found: object = stats
    for name in path.split("."):
        found = cast("Mapping[str, object]", found)[name]
    return cast("Mapping[str, float | None]", found)


def _plain(metric: catalogue.Metric, figures: Mapping[str, float | None]) -> Metric:
    family: Any = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    samples: Metric = family(metric.name, metric.help, labels=[metric.label] if metric.label else [])
    chosen = figures.items() if metric.label else [("", figures[metric.key])]
    for label, value in chosen:
        if value is None:  # nothing to tell yet
            continue
        cast("Any", samples).add_metric([label] if metric.label else [], value)
    return samples


def _histogram(metric: catalogue.Metric, latencies: Mapping[str, Histogram]) -> Metric:
    samples = HistogramMetricFamily(metric.name, metric.help, labels=[metric.label])
    for label, histogram in latencies.items():
        buckets = [(f"{bound:.6g}", count) for bound, count in histogram.cumulative()]
        samples.add_metric([label], [*buckets, ("+Inf", histogram.count)], histogram.seconds)
    return samples
