"""The pipelines API (page "Pipelines")."""

import json
from typing import NoReturn

from werkzeug.wrappers import Response

from hubconnect.sandbox.call import Call, answer, nothing
from hubconnect.sandbox.catalog.kinds import Kind
from hubconnect.sandbox.errors import Json, not_found, refuse
from hubconnect.sandbox.moments import to_text

_REFERENCES = ("validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete")


def list_pipelines(call: Call, kind: str) -> Response:
    """List the pipelines of an object type with their stages."""
    return answer({"results": _load(call, _open(call, kind))})


def get_pipeline(call: Call, kind: str, pipeline_id: str) -> Response:
    """Get one pipeline."""
    return answer(_get(call, _open(call, kind), pipeline_id))


def post_pipeline(call: Call, kind: str) -> Response:
    """Create a pipeline; its stages and itself get numeric ids."""
    named, body = _writable(call, kind), call.body()
    now = to_text(call.account.clock.now())
    pipeline = {
        "id": str(body.get("pipelineId") or _new_id(call)),
        "label": str(body.get("label", "")),
        "displayOrder": body.get("displayOrder", 0),
        "archived": False,
        "createdAt": now,
        "updatedAt": now,
        "stages": [],
    }
    if not pipeline["label"]:
        _refuse_unlabelled()
    pipeline["stages"] = [_new_stage(call, named, one) for one in body.get("stages") or []]
    _save(call, named, pipeline)
    return answer(pipeline, 201)


def patch_pipeline(call: Call, kind: str, pipeline_id: str) -> Response:
    """Rename or move a pipeline."""
    named, body = _writable(call, kind), call.body()
    pipeline = _get(call, named, pipeline_id)
    pipeline |= {key: body[key] for key in ("label", "displayOrder") if key in body}
    pipeline["updatedAt"] = to_text(call.account.clock.now())
    _save(call, named, pipeline)
    return answer(pipeline)


def put_pipeline(call: Call, kind: str, pipeline_id: str) -> Response:
    """Replace a pipeline with its stages; a stage given by its id keeps it."""
    named, body = _writable(call, kind), call.body()
    pipeline = _get(call, named, pipeline_id)
    if not body.get("label"):
        _refuse_unlabelled()
    stages = [_new_stage(call, named, one) for one in body.get("stages") or []]
    if any(call.flag(name) for name in _REFERENCES):
        for stage_id in {one["id"] for one in pipeline["stages"]} - {one["id"] for one in stages}:
            _refuse_used(call, named, stage_id)
    pipeline |= {"label": str(body["label"]), "displayOrder": body.get("displayOrder", 0)}
    pipeline |= {"stages": stages, "updatedAt": to_text(call.account.clock.now())}
    _save(call, named, pipeline)
    return answer(pipeline)


def delete_pipeline(call: Call, kind: str, pipeline_id: str) -> Response:
    """Delete a pipeline that no record is in."""
    named = _writable(call, kind)
    pipeline = _get(call, named, pipeline_id)
    if any(call.flag(name) for name in _REFERENCES):
        for stage in pipeline["stages"]:
            _refuse_used(call, named, stage["id"])
    call.db.execute("DELETE FROM pipeline WHERE kind = ? AND id = ?", (named.name, pipeline_id))
    return nothing()


def list_stages(call: Call, kind: str, pipeline_id: str) -> Response:
    """List the stages of a pipeline."""
    return answer({"results": _get(call, _open(call, kind), pipeline_id)["stages"]})


def get_stage(call: Call, kind: str, pipeline_id: str, stage_id: str) -> Response:
    """Get one stage."""
    return answer(_stage(_get(call, _open(call, kind), pipeline_id), stage_id))


def post_stage(call: Call, kind: str, pipeline_id: str) -> Response:
    """Add a stage."""
    named = _writable(call, kind)
    pipeline = _get(call, named, pipeline_id)
    stage = _new_stage(call, named, call.body())
    pipeline["stages"].append(stage)
    _save(call, named, pipeline)
    return answer(stage, 201)


def patch_stage(call: Call, kind: str, pipeline_id: str, stage_id: str) -> Response:
    """Change a stage."""
    named, body = _writable(call, kind), call.body()
    pipeline = _get(call, named, pipeline_id)
    stage = _stage(pipeline, stage_id)
    stage |= {key: body[key] for key in ("label", "displayOrder", "metadata") if key in body}
    stage["updatedAt"] = to_text(call.account.clock.now())
    _save(call, named, pipeline)
    return answer(stage)


def put_stage(call: Call, kind: str, pipeline_id: str, stage_id: str) -> Response:
    """Replace a stage."""
    named, body = _writable(call, kind), call.body()
    pipeline = _get(call, named, pipeline_id)
    stage = _stage(pipeline, stage_id)
    stage |= {**_new_stage(call, named, body), "id": stage_id, "createdAt": stage["createdAt"]}
    _save(call, named, pipeline)
    return answer(stage)


def delete_stage(call: Call, kind: str, pipeline_id: str, stage_id: str) -> Response:
    """Delete a stage no record is in."""
    named = _writable(call, kind)
    pipeline = _get(call, named, pipeline_id)
    stage = _stage(pipeline, stage_id)
    _refuse_used(call, named, stage_id)
    pipeline["stages"].remove(stage)
    _save(call, named, pipeline)
    return nothing()


def _open(call: Call, kind: str) -> Kind:
    call.require_any("crm.objects.", "crm.schemas.", "tickets")
    return call.kind(kind)


def _writable(call: Call, kind: str) -> Kind:
    named = call.kind(kind)
    call.require(named.schema_scope)
    if not named.pipeline_property:
        refuse(f"Object type {named.type_id} has no pipelines.")
    return named


def _load(call: Call, kind: Kind) -> list[Json]:
    rows = call.db.execute("SELECT definition FROM pipeline WHERE kind = ?", (kind.name,))
    found = [json.loads(row[0]) for row in rows]
    return sorted(found, key=lambda pipeline: int(pipeline["displayOrder"]))


def _get(call: Call, kind: Kind, pipeline_id: str) -> Json:
    for pipeline in _load(call, kind):
        if pipeline["id"] == pipeline_id:
            return pipeline
    message = f"Pipeline {pipeline_id} does not exist."
    raise not_found(message)


def _stage(pipeline: Json, stage_id: str) -> Json:
    stages: list[Json] = pipeline["stages"]
    for stage in stages:
        if stage["id"] == stage_id:
            return stage
    message = f"Stage {stage_id} does not exist."
    raise not_found(message)


def _new_id(call: Call) -> str:
    return str(call.account.random.randrange(100_000_000, 999_999_999))


def _new_stage(call: Call, kind: Kind, body: Json) -> Json:
    metadata = {key: str(value) for key, value in (body.get("metadata") or {}).items()}
    if not body.get("label"):
        _refuse_unlabelled()
    if kind.name == "deals":
        if "probability" not in metadata:
            refuse("A deal stage needs the metadata probability.")
        metadata["isClosed"] = "true" if float(metadata["probability"]) in {0.0, 1.0} else "false"
    now = to_text(call.account.clock.now())
    return {
        "id": str(body.get("stageId") or _new_id(call)),
        "label": str(body["label"]),
        "displayOrder": body.get("displayOrder", 0),
        "metadata": metadata,
        "archived": False,
        "createdAt": now,
        "updatedAt": now,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def _save(call: Call, kind: Kind, pipeline: Json) -> None:
    call.db.execute(
        "INSERT OR REPLACE INTO pipeline VALUES (?, ?, ?)",
        (kind.name, pipeline["id"], json.dumps(pipeline)),
    )


def _refuse_used(call: Call, kind: Kind, stage_id: str) -> None:
    rows = call.db.execute(
        "SELECT id FROM record WHERE kind = ? AND archived IS NULL"
        " AND json_extract(properties, ?) = ? LIMIT 100",
        (kind.name, f"$.{kind.stage_property}", stage_id),
    )
    ids = [str(row[0]) for row in rows]
    if ids:
        refuse(
            f"Stage {stage_id} is in use.",
            subCategory="PipelineError.STAGE_ID_IN_USE",
            context={"stageIds": [stage_id], "objectIds": ids},
        )


def _refuse_unlabelled() -> NoReturn:
    refuse("Invalid input JSON on line 1, column 2. Some required fields were not set: [label]")
