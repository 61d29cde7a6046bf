"""The addresses of what was measured: metrics, views, CDNs, titles, streams, reports."""

from starlette.convertors import PathConvertor, register_url_convertor
from starlette.routing import Route

from playhead.serve.answers import Answers
from playhead.serve.broadcast import Broadcast
from playhead.serve.cdn_answers import CdnAnswers
from playhead.serve.comparison_answers import ComparisonAnswers
from playhead.serve.content_answers import ContentAnswers
from playhead.serve.cta_answers import CtaAnswers
from playhead.serve.desk import Desk
from playhead.serve.dimension_answers import DimensionAnswers
from playhead.serve.export_answers import ExportAnswers
from playhead.serve.insight_answers import InsightAnswers
from playhead.serve.live_stream import LiveStream
from playhead.serve.quarantine import Quarantine
from playhead.serve.report_answers import ReportAnswers
from playhead.serve.services import Services
from playhead.serve.stream_answers import StreamAnswers


class AnyText(PathConvertor):
    """The rest of a path, whatever it holds: a view's id may hold a line break."""

    regex = r"[\s\S]*"


register_url_convertor("any", AnyText())


def measure_routes(desk: Desk, services: Services, broadcast: Broadcast) -> list[Route]:
    """Return the addresses; the first that fits is taken."""
    answers = Answers(desk)
    cdn = CdnAnswers(desk)
    comparisons = ComparisonAnswers(desk)
    dimensions = DimensionAnswers(desk)
    streams = StreamAnswers(desk)
    exports = ExportAnswers(desk)
    quarantine = Quarantine(services, desk)
    live_stream = LiveStream(desk, services.config.query, broadcast)
    return [
        Route("/v1/metrics", answers.catalogue),
        Route("/v1/metrics/{metric}/histogram", comparisons.histogram),
        Route("/v1/metrics/{metric}/{form}", answers.metric),
        Route("/v1/compare", comparisons.compare),
        Route("/v1/dimensions", dimensions.dimensions),
        Route("/v1/dimensions/{dimension}", dimensions.values),
        Route("/v1/live", answers.live),
        Route("/v1/live/stream", live_stream.stream),
        Route("/v1/views", answers.views),
        Route("/v1/views/export", exports.views),
        Route("/v1/views/{view_id:any}/p1203", exports.p1203),
        Route("/v1/views/{view_id:any}", answers.view),
        Route("/v1/cdn/kpis", cdn.kpis),
        Route("/v1/cdn/views", cdn.views),
        Route("/v1/insights", InsightAnswers(desk).insights),
        Route("/v1/retention/{video_id:any}", ContentAnswers(desk).retention),
        Route("/v1/report", ReportAnswers(desk).report),
        Route("/v1/reports/cta2066", CtaAnswers(desk).report),
        Route("/v1/streams", streams.streams),
        Route("/v1/streams/{stream_id:any}", streams.stream),
        Route("/v1/quarantine", quarantine.rows),
        Route("/v1/quarantine/reasons", quarantine.reasons),
        Route("/v1/quarantine/retry", quarantine.retry, methods=["POST"]),
    ]
