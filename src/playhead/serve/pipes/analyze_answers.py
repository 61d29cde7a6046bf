"""`POST /v0/analyze`: what a file seems to hold, as the schema of a data source."""

import asyncio
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.access.scopes import CREATE
from playhead.errors import Forbidden, InvalidBody
from playhead.jobs.parquet import MAGIC, Found, columns_of
from playhead.jobs.runner import Runner
from playhead.jobs.spool import BODY, Packed, Spooled
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.import_answers import form_of
from playhead.serve.pipes.reading import Reading
from playhead.serve.pipes.upload import Upload, Uploads

PATH: Final = "/v0/analyze"
SAMPLE_BYTES: Final = 4 * 1024 * 1024
"""So much of a text is looked at."""
_SAMPLE: Final = "sample"
_FORMATS: Final = {"csv": "CSV", "ndjson": "JSONEachRow", "parquet": "Parquet"}
_COMPOSED: Final = ("Array(", "Tuple(", "Map(", "LowCardinality(")


class AnalyzeAnswers:
    """Answers who wants to know what a file holds."""

    def __init__(self, desk: PipeDesk, runner: Runner, uploads: Uploads) -> None:
        self._desk = desk
        self._runner = runner
        self._uploads = uploads

    def routes(self) -> list[Route]:
        """Return the address."""
        return [Route(PATH, self.analyze, methods=["POST", "OPTIONS"])]

    async def analyze(self, request: Request) -> Response:
        """`POST /v0/analyze`."""
        return await self._desk.answer(request, self._analyze)

    async def _analyze(self, request: Request, reading: Reading) -> Response:
        if not reading.sends_files():
            raise Forbidden(
                "This token may not have files analyzed.", hint=f"It needs the scope {CREATE}."
            )
        job = self._runner.new_id()
        upload = await self._uploads.take(request, job)
        try:
            return document(await self._said(request, job, upload))
        finally:
            await asyncio.to_thread(self._uploads.spool.drop, job)

    async def _said(self, request: Request, job: str, upload: Upload) -> dict[str, Any]:
        if upload.end <= upload.start:
            raise InvalidBody(
                "There is nothing to analyze.", hint="Send the file as the body or in a form."
            )
        params = {**upload.fields, **request.query_params}
        form = form_of(request, upload, params, "")
        folder = self._uploads.spool.folder(job)
        sample = await asyncio.to_thread(
            _sampled,
            folder,
            upload,
            self._desk.config.jobs.max_import_bytes,
            whole=form == "parquet",
        )
        found = await columns_of(self._runner.desk.store, sample, _FORMATS[form])
        columns = [_column(one, form) for one in found]
        schema = ", ".join(
            f"{one['name']} {one['recommended_type']}"
            + (f" `json:{one['path']}`" if form != "csv" else "")
            for one in columns
        )
        return {"analysis": {"columns": columns, "schema": schema}, "format": form}


def _sampled(folder: Path, upload: Upload, limit: int, *, whole: bool) -> Path:
    """Return the beginning of a file, unpacked; of Parquet all of it. Raises InvalidBody."""
    packed = Packed(folder / BODY, Spooled(upload.start, upload.end), limit)
    sample = folder / _SAMPLE
    try:
        with sample.open("wb") as file:
            if whole:
                for block in packed.blocks():
                    file.write(block)
            else:
                text = packed.read(SAMPLE_BYTES)
                if text.startswith(MAGIC):
                    raise InvalidBody("The file is Parquet.", hint="Say format=parquet.")
                if len(text) == SAMPLE_BYTES:
                    text = text[: text.rfind(b"\n") + 1] or text
                file.write(text)
    finally:
        packed.close()
    return sample


def _column(found: Found, form: str) -> dict[str, Any]:
    """Return a column; a text or number that may be missing is taken for one that may."""
    kind = " ".join(found.type.split())
    inner = (
        kind.removeprefix("Nullable(").removesuffix(")") if kind.startswith("Nullable(") else kind
    )
    said: dict[str, Any] = {
        "name": found.name,
        "recommended_type": inner if form == "csv" or inner.startswith(_COMPOSED) else kind,
        "present_pct": None,
    }
    if form != "csv":
        said["path"] = f"$.{found.name}" + ("[:]" if inner.startswith("Array(") else "")
    return said
