"""What the tools that our exports are for read in them, with their own readers.

    python -m venv venv && venv/bin/pip install tensorboard==2.21.0 transformers==5.24.0 \
        huggingface_hub==2.4.0 ir_measures==0.4.3
    venv/bin/python tests/formats/read.py                                   # writes read.json
    venv/bin/python tests/formats/read.py results/report/export --print     # opens any other export
"""

import json
import math
import pathlib
import sys

from huggingface_hub import ModelCard
import ir_measures
from ir_measures import R, RR, Success, nDCG
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.context import RequestContext
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import backend_context, list_session_groups, api_pb2, plugin_data_pb2
from transformers import TrainerState

HERE = pathlib.Path(__file__).parent


def plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(value) for key, value in value.items()}
    return [plain(value) for value in value] if isinstance(value, (list, tuple)) else value


def tensorboard(folder):
    runs = {}
    for path in sorted(folder.rglob("*tfevents*")):
        events = EventAccumulator(str(path.parent), size_guidance={"scalars": 0, "tensors": 0}).Reload()
        scalars = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
        times = {e.wall_time for tag in events.Tags()["scalars"] for e in events.Scalars(tag)}
        run = {"scalars": scalars, "wall_times": sorted(times)}
        for tag, content in events.PluginTagToContent("hparams").items():
            data = plugin_data_pb2.HParamsPluginData.FromString(content)
            if tag.endswith("session_start_info"):
                run["group"] = data.session_start_info.group_name
                run["hparams"] = {
                    key: getattr(value, value.WhichOneof("kind"))
                    for key, value in sorted(data.session_start_info.hparams.items())
                }
            else:
                run["status"] = api_pb2.Status.Name(data.session_end_info.status)
        runs[path.parent.relative_to(folder).as_posix()] = run
    runs["sessions"] = sessions(folder)
    return runs


def sessions(folder):
    """The runs that the table of hyperparameters shows for the whole folder."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"hparams": 0})
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    provider = MultiplexerDataProvider(multiplexer, str(folder))
    context = backend_context.Context(base_plugin.TBContext(data_provider=provider, logdir=str(folder)))
    ctx, experiment = RequestContext(), ""
    metadata = context.hparams_metadata(ctx, experiment)
    found = context.experiment_from_metadata(
        ctx, experiment, include_metrics=True, hparams_run_to_tag_to_content=metadata,
        data_provider_hparams=context.hparams_from_data_provider(ctx, experiment, limit=1000))
    request = api_pb2.ListSessionGroupsRequest(
        slice_size=100, allowed_statuses=[api_pb2.STATUS_SUCCESS],
        col_params=[api_pb2.ColParams(hparam=info.name) for info in found.hparam_infos])
    handler = list_session_groups.Handler(ctx, context, experiment, request)
    groups = handler.run().session_groups
    return sorted(session.name for group in groups for session in group.sessions)


def trainer_state(folder):
    return {
        path.parent.relative_to(folder).as_posix(): vars(TrainerState.load_from_json(str(path)))
        for path in sorted(folder.rglob("trainer_state.json"))
    }


def trec(folder):
    read = {}
    for path in sorted(folder.rglob("*.run")):
        found = list(ir_measures.read_trec_run(str(path)))
        order = {}
        for row in sorted(found, key=lambda row: -row.score):
            order.setdefault(row.query_id, []).append(row.doc_id)
        one = {"order": order, "measures": {}}
        judged = path.with_suffix(".qrels")
        if judged.exists():
            qrels = list(ir_measures.read_trec_qrels(str(judged)))
            k = max(len(ids) for ids in order.values())
            measures = [Success @ k, R @ k, RR, nDCG @ k]
            for row in sorted(ir_measures.iter_calc(measures, qrels, found), key=lambda row: (row.query_id, str(row.measure))):
                one["measures"].setdefault(row.query_id, {})[str(row.measure)] = row.value
        read[path.relative_to(folder).with_suffix("").as_posix()] = one
    return read


def card(folder):
    read = {}
    for path in sorted(folder.rglob("README.md")):
        data = ModelCard.load(path).data
        results = data.eval_results or []
        read[path.parent.relative_to(folder).as_posix()] = {
            **{key: value for key, value in vars(data).items() if key != "eval_results" and value is not None},
            "eval_results": [{k: v for k, v in vars(result).items() if v is not None} for result in results],
        }
    return read


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    tools = {"tensorboard": tensorboard, "trainer_state": trainer_state, "trec": trec, "card": card}
    read = {name: plain(tool(folder / name)) for name, tool in tools.items() if (folder / name).is_dir()}
    text = json.dumps(read, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if "--print" in sys.argv:
        print(text)
    else:
        (HERE / "read.json").write_text(text)


main()
