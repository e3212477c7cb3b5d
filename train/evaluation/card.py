"""The scores as a table for the model card."""

from __future__ import annotations

from typing import Any


def table(report: dict[str, Any]) -> str:
    """Markdown rows of every part that was measured: what, the model, beside what, and the ratio."""
    rows: list[tuple[str, ...]] = []
    for part, write in (
        ("reconstruction", _reconstruction),
        ("clap", _clap),
        ("generation", _generation),
        ("paraphrases", _paraphrases),
        ("two_events", _two_events),
        ("inpainting", _inpainting),
        ("pictures", _pictures),
        ("sweep", _sweep),
    ):
        if part in report:
            rows += write(report[part])
    made = [_settings(report)] if "weights" in report else []
    head = ("measure", "this model", "beside it", "share")
    return "\n".join([*made, _line(head), _line(("---",) * 4), *map(_line, rows)])


def _settings(r: dict[str, Any]) -> str:
    takes = f", {r['generation']['generated']['sounds']} takes" if "generation" in r else ""
    return (
        f"{r['model']} ({r['weights']}): {r['steps']} steps of {r['sampler']}, guidance {r['guidance']:g}, "
        f"{r['seconds']:g} s, {r['dtype']}{takes}.\n"
    )


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def percent(value: float) -> str:
    """A share as people read it."""
    return "–" if value != value else f"{100 * value:.1f} %"


def _reconstruction(r: dict[str, Any]) -> list[tuple[str, ...]]:
    voc, both, lim = r["vocoder"], r["autoencoder + vocoder"], r["griffin-lim"]
    wins = percent(r["vocoder_nearer_than_griffin_lim"])
    rows: list[tuple[str, ...]] = [
        ("autoencoder, log10-mel L1", f"{r['autoencoder']['mel_l1']:.3f}", f"{r['clips']} held-out clips", ""),
        ("vocoder, log10-mel L1", f"{voc['mel_l1']:.3f}", f"Griffin-Lim {lim['mel_l1']:.3f}", ""),
        ("vocoder, aiSFX distance", f"{voc['aisfx']:.3f}", f"Griffin-Lim {lim['aisfx']:.3f}", f"nearer on {wins}"),
        ("autoencoder and vocoder, aiSFX distance", f"{both['aisfx']:.3f}", "", ""),
    ]
    if "pitched_vocoder_over_griffin_lim" in r:
        pair = (f"{voc['pitched_log_magnitude']:.3f}", f"Griffin-Lim {lim['pitched_log_magnitude']:.3f}")
        rows.append(("vocoder, pitched log-magnitude", *pair, f"{r['pitched_vocoder_over_griffin_lim']:.2f} ×"))
    return rows


def _clap(r: dict[str, Any]) -> list[tuple[str, ...]]:
    if "names" not in r:
        return []
    return [
        (
            f"CLAP text to sound, {kind}, recall@1 / 5 / 10",
            " / ".join(percent(r[kind]["recall"][k]) for k in ("1", "5", "10")),
            "chance " + " / ".join(percent(r[kind]["chance"][k]) for k in ("1", "5", "10")),
            f"{r[kind]['over_chance_at_10']:.1f} × at 10",
        )
        for kind in ("names", "captions")
    ]


def _pair(score: dict[str, float]) -> str:
    return f"{percent(score['top1'])} / {percent(score['top5'])}"


def _interval(value: dict[str, float]) -> str:
    return f"{value['mean']:.1f} ({value['low']:.1f} to {value['high']:.1f})"


def _generation(r: dict[str, Any]) -> list[tuple[str, ...]]:
    share, fresh, far = r["share_of_real"], r["new_sources"], r["distance"]
    rows: list[tuple[str, ...]] = [
        ("in vocabulary, top-1 / top-5", _pair(r["generated"]), f"real {_pair(r['real'])}", _pair(share)),
        (
            "〃 beside real clips passed through autoencoder and vocoder",
            _pair(r["generated"]),
            _pair(r["real_passed"]),
            _pair({"top1": share["top1_passed"], "top5": share["top5_passed"]}),
        ),
        ("〃 shuffled prompts", _pair(r["shuffled"]), f"chance {percent(r['chance_top5'])} (top-5)", ""),
        (
            "new sources, top-1 / top-5",
            _pair(fresh["generated"]),
            f"real {_pair(fresh['real'])}",
            _pair(fresh["share_of_real"]),
        ),
    ]
    floor = f"real against real {far['frechet_floor']:.2f} (n = {far['frechet_floor_n']})"
    floor += f", real passed through {far['frechet_real_passed']:.2f}"
    rows += [
        (f"Fréchet distance, 64 components, n = {far['frechet_n']}", f"{far['frechet']:.2f}", floor, ""),
        (
            "KID × 1000, 95 % interval",
            _interval(far["kid"]),
            f"real against real {_interval(far['kid_floor'])}, "
            f"real passed through {far['kid_real_passed']['mean']:.1f}",
            "",
        ),
        (
            "copies of a train clip (mel correlation > 0.95)",
            percent(r["copying"]["share"]),
            f"held-out recordings {percent(r['copying']['held_out_share'])}",
            "",
        ),
    ]
    return rows


def _paraphrases(r: dict[str, Any]) -> list[tuple[str, ...]]:
    if not r["prompts"]:
        return []
    literal = f"literal {_pair(r['literal'])}"
    return [("paraphrases, top-1 / top-5", _pair(r["generated"]), literal, _pair(r["share_of_literal"]))]


def _sweep(r: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (f"guidance {scale}, top-1 / top-5", _pair(score), f"KID × 1000: {score['kid']['mean']:.1f}", "")
        for scale, score in r["scales"].items()
    ]


def _two_events(r: dict[str, Any]) -> list[tuple[str, ...]]:
    made, real = r["generated"], r["real"]
    return [
        (
            "two events in order",
            percent(made["right_order"]),
            f"real {percent(real['right_order'])}",
            percent(r["share_of_real"]),
        ),
        ("〃 in the swapped order", percent(made["swapped_order"]), f"real {percent(real['swapped_order'])}", ""),
    ]


def _inpainting(r: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            f"inpainting, {kind} hole ({r[kind]['seconds']:.1f} s): cosine to what was there",
            f"right prompt {r[kind]['right']['cosine']:.3f}, none {r[kind]['none']['cosine']:.3f}",
            f"wrong {r[kind]['wrong']['cosine']:.3f}, interpolation {r[kind]['interpolation']['cosine']:.3f}, "
            f"what was there {r[kind]['truth']['cosine']:.3f}",
            f"right beats wrong on {percent(r[kind]['right_beats_wrong'])} of {r[kind]['cases']}",
        )
        for kind in ("wide", "narrow")
        if kind in r
    ]


def _pictures(r: dict[str, Any]) -> list[tuple[str, ...]]:
    if not r["pictures"]:
        return []
    return [("pictures heard as what they show, top-1 / top-5", _pair(r), f"{r['pictures']} drawings", "")]
