"""The scores as a table for the model card."""

from __future__ import annotations

from typing import Any


def score_table(report: dict[str, Any]) -> str:
    """Markdown rows of every part that was measured: what, the model, beside what, and the ratio."""
    rows: list[tuple[str, ...]] = []
    for part, write in (
        ("reconstruction", _reconstruction),
        ("clap", _clap),
        ("generation", _generation),
        ("paraphrases", _paraphrases),
        ("two_events", _two_events),
        ("timed", _timed),
        ("inpainting", _inpainting),
        ("pictures", _pictures),
        ("files", _files),
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


def _by(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What to put after a measure's name, and the entries, of each judge: aiSFX's stand bare."""
    second = [(", YAMNet", report["yamnet"])] if "yamnet" in report else []
    return [("", report), *second]


def _reconstruction(r: dict[str, Any]) -> list[tuple[str, ...]]:
    voc, both, lim = r["vocoder"], r["autoencoder + vocoder"], r["griffin-lim"]
    rows: list[tuple[str, ...]] = [
        ("autoencoder, log10-mel L1", f"{r['autoencoder']['mel_l1']:.3f}", f"{r['clips']} held-out clips", ""),
        ("vocoder, log10-mel L1", f"{voc['mel_l1']:.3f}", f"Griffin-Lim {lim['mel_l1']:.3f}", ""),
    ]
    for name, title, wins in (("aisfx", "aiSFX", ""), ("yamnet", "YAMNet", "_yamnet")):
        if name in voc:
            share = f"nearer on {percent(r[f'vocoder_nearer_than_griffin_lim{wins}'])}"
            rows += [
                (f"vocoder, {title} distance", f"{voc[name]:.4f}", f"Griffin-Lim {lim[name]:.4f}", share),
                (f"autoencoder and vocoder, {title} distance", f"{both[name]:.4f}", "", ""),
            ]
    if "pitched_vocoder_over_griffin_lim" in r:
        pair = (f"{voc['pitched_log_magnitude']:.3f}", f"Griffin-Lim {lim['pitched_log_magnitude']:.3f}")
        rows.append(("vocoder, pitched log-magnitude", *pair, f"{r['pitched_vocoder_over_griffin_lim']:.2f} ×"))
    noise = r.get("noise", {})
    if "recording" in noise:
        given, lim = noise["recording"], noise["griffin-lim"]
        for way in ("vocoder", "autoencoder + vocoder"):
            beside = f"recordings {given['lines_db']:.1f} dB, Griffin-Lim {lim['lines_db']:.1f} dB"
            rows.append((f"{way}, lines at the frame rate", f"{noise[way]['lines_db']:.1f} dB", beside, ""))
            beside = f"recordings {percent(given['outside_mean'])}, Griffin-Lim {percent(lim['outside_mean'])}"
            share = percent(noise[way]["outside_mean"])
            rows.append((f"{way}, energy below 20 Hz and above 7.85 kHz", share, beside, f"{noise['clips']} of noise"))
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


def _recognised(r: dict[str, Any], by: str) -> list[tuple[str, ...]]:
    share, fresh = r["share_of_real"], r["new_sources"]
    return [
        (f"in vocabulary, top-1 / top-5{by}", _pair(r["generated"]), f"real {_pair(r['real'])}", _pair(share)),
        (
            "〃 beside real clips passed through autoencoder and vocoder",
            _pair(r["generated"]),
            _pair(r["real_passed"]),
            _pair({"top1": share["top1_passed"], "top5": share["top5_passed"]}),
        ),
        ("〃 shuffled prompts", _pair(r["shuffled"]), f"chance {percent(r['chance_top5'])} (top-5)", ""),
        (
            f"new sources, top-1 / top-5{by}",
            _pair(fresh["generated"]),
            f"real {_pair(fresh['real'])}",
            _pair(fresh["share_of_real"]),
        ),
    ]


def _distances(far: dict[str, Any], by: str) -> list[tuple[str, ...]]:
    floor = f"real against real {far['frechet_floor']:.2f} (n = {far['frechet_floor_n']})"
    floor += f", real passed through {far['frechet_real_passed']:.2f}"
    return [
        (f"Fréchet distance, 64 components, n = {far['frechet_n']}{by}", f"{far['frechet']:.2f}", floor, ""),
        (
            f"KID × 1000, 95 % interval{by}",
            _interval(far["kid"]),
            f"real against real {_interval(far['kid_floor'])}, "
            f"real passed through {far['kid_real_passed']['mean']:.1f}",
            "",
        ),
    ]


def _tags(r: dict[str, Any]) -> list[tuple[str, ...]]:
    beside = ", ".join(
        f"{title} {r[name]['kl_mean']:.2f}"
        for name, title in (("real", "real"), ("real_passed", "real passed through"), ("shuffled", "shuffled prompts"))
    )
    variety = r["inception"]
    return [
        ("KL of tags from real clips' mean tags, YAMNet", f"{r['generated']['kl_mean']:.2f}", beside, ""),
        (
            f"IS of tags, n = {variety['sounds']}, YAMNet",
            f"{variety['generated']:.2f}",
            f"real {variety['real']:.2f}",
            "",
        ),
    ]


def _generation(r: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for by, part in _by(r):
        rows += _recognised(part, by)
    for by, part in _by(r):
        rows += _distances(part["distance"], by)
        rows += _tags(part["tags"]) if "tags" in part else []
    copies = r["copying"]
    beside = f"held-out recordings {percent(copies['held_out_share'])}"
    return [*rows, ("copies of a train clip (mel correlation > 0.95)", percent(copies["share"]), beside, "")]


def _paraphrases(r: dict[str, Any]) -> list[tuple[str, ...]]:
    if not r["prompts"]:
        return []
    return [
        (
            f"paraphrases, top-1 / top-5{by}",
            _pair(part["generated"]),
            f"the sounds' names {_pair(part['literal'])}{_unled(part)}",
            _pair(part["share_of_literal"]),
        )
        for by, part in _by(r)
    ]


def _unled(part: dict[str, Any]) -> str:
    """Scores of the same prompts without being led; reports of earlier versions have none."""
    return f"; not led {_pair(part['as_said'])}" if "as_said" in part else ""


def _sweep(r: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (f"guidance {scale}, top-1 / top-5{by}", _pair(score), f"KID × 1000: {score['kid']['mean']:.1f}", "")
        for scale, found in r["scales"].items()
        for by, score in _by(found)
    ]


def _two_events(r: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for by, part in _by(r):
        made, real, share = part["generated"], part["real"], percent(part["share_of_real"])
        beside = f"real {percent(real['right_order'])}"
        rows += [
            (f"two events in order{by}", percent(made["right_order"]), beside, share),
            ("〃 in the swapped order", percent(made["swapped_order"]), f"real {percent(real['swapped_order'])}", ""),
        ]
        if "given" in part:  # not in reports of earlier versions
            given, alone, share = part["given"], part["one_text"], percent(part["given"]["share_of_real"])
            beside = f"real, cut there {percent(real['known_cut'])}"
            rows += [
                ("〃 as one text", percent(alone["right_order"]), f"swapped {percent(alone['swapped_order'])}", ""),
                (f"two events with their times{by}", percent(given["known_cut"]), beside, share),
            ]
    return rows


def _timed(r: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for by, part in _by(r["at_once"]):
        beside = f"real {percent(part['real'])}"
        rows.append((f"two events at once{by}", percent(part["generated"]), beside, percent(part["share_of_real"])))
    late = r["onsets"]
    shown = f"median {late['median']:.2f} s, 90 % within {late['p90']:.2f} s"
    within = f"within 0.6 s: {percent(late['share_within_0.6'])}"
    return [*rows, (f"onset error of {late['sounds']} placed sounds", shown, "", within)]


def _inpainting(r: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            f"inpainting, {kind} hole ({r[kind]['seconds']:.1f} s): cosine to what was there{by}",
            f"right prompt {part['right']['cosine']:.3f}, none {part['none']['cosine']:.3f}",
            f"wrong {part['wrong']['cosine']:.3f}, interpolation {part['interpolation']['cosine']:.3f}, "
            f"what was there {part['truth']['cosine']:.3f}",
            f"right beats wrong on {percent(part['right_beats_wrong'])} of {r[kind]['cases']}",
        )
        for kind in ("wide", "narrow")
        if kind in r
        for by, part in _by(r[kind])
    ]
    rows += [
        (
            f"〃 {kind}, flux at its edges, 95th percentile",
            f"{r[kind]['flux']['joints_p95']:.2f} dB",
            f"uncut sound {r[kind]['flux']['uncut_p95']:.2f} dB",
            f"{percent(r[kind]['flux']['within'])} below 1.5 × that",
        )
        for kind in ("wide", "narrow")
        if "flux" in r.get(kind, {})
    ]
    lost = r.get("leak", {"cases": 0})
    if lost["cases"]:
        made, bed = (lost[name] for name in ("filled", "true_background"))
        row = (
            "〃 a bark painted over: cosine to it / to the background elsewhere",
            f"{made['to_bark']:.3f} / {made['to_background_elsewhere']:.3f}",
            f"true background {bed['to_bark']:.3f} / {bed['to_background_elsewhere']:.3f}",
            f"nearer to the background in {percent(made['nearer_to_background_than_to_bark'])} of {lost['cases']}",
        )
        rows.append(row)
    return rows


def _files(r: dict[str, Any]) -> list[tuple[str, ...]]:
    s = r["summary"]
    count = f"{s['takes']} files"
    long = f"{s['continuous']} continuous sounds"

    def number(name: str) -> str:
        value = s[name]
        return "–" if value is None or value != value else f"{value:.1f}"

    return [
        (
            "lines at the frame rate, dB, median and worst",
            f"{number('lines_db_median')} / {number('lines_db_worst')}",
            long,
            "",
        ),
        (
            "energy below 20 Hz / above 7.85 kHz, worst",
            f"{percent(s['below_20_hz_worst'])} / {percent(s['above_7850_hz_worst'])}",
            count,
            "",
        ),
        ("first / last sample above −50 dBFS", f"{s['clicks_at_start']} / {s['clicks_at_end']}", count, ""),
        ("clipped", str(s["clipped"]), count, f"true peak up to {number('true_peak_db_worst')} dB"),
        ("loudness, LUFS", f"{number('lufs_lowest')} to {number('lufs_highest')}", count, ""),
        ("with holes", str(s["continuous_with_holes"]), long, f"longest {number('longest_hole')} s"),
    ]


def _pictures(r: dict[str, Any]) -> list[tuple[str, ...]]:
    if not r["pictures"]:
        return []
    return [("pictures heard as what they show, top-1 / top-5", _pair(r), f"{r['pictures']} drawings", "")]
