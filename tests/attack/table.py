"""What an attack found, as one table."""

from __future__ import annotations

from dataclasses import dataclass, field

HEADS = (
    "kind", "tries", "crashes", "tracebacks", "leaks", "peak MB", "worst s", "crossed jobs", "MB after 300 jobs / end",
)  # fmt: skip


@dataclass
class Row:
    """One kind of attack.

    Args:
        kind: its name.
        tries: files read, calls or jobs.
        crashes: processes that ended, or did not answer in time.
        tracebacks: errors that are no sentence for the person who sent it.
        leaks: answers that hold what is nobody's business, and what was copied or fetched.
        peak: memory of the process that was attacked, MB; None = not measured.
        worst: seconds of the slowest try, of damaged files and bombs those of the process itself.
        crossed: jobs that came to somebody else; None = there are none.
        memory: of the server after 300 jobs and at the end, MB.
        findings: one line for each thing that is wrong, or a few of many.
    """

    kind: str
    tries: int = 0
    crashes: int = 0
    tracebacks: int = 0
    leaks: int = 0
    peak: float | None = None
    worst: float = 0.0
    crossed: int | None = None
    memory: tuple[float, float] | None = None
    findings: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not (self.crashes or self.tracebacks or self.leaks or self.crossed or self.findings)

    def slower(self, seconds: float) -> None:
        """Note how long a try took."""
        self.worst = max(self.worst, seconds)

    def found(self, line: str) -> None:
        """Note what is wrong; of many things, the first."""
        if len(self.findings) < 200:
            self.findings.append(" ".join(line.split())[:400])

    def cells(self) -> list[str]:
        """As the table shows it."""
        return [
            self.kind, f"{self.tries:,}", *(str(count) for count in (self.crashes, self.tracebacks, self.leaks)),
            "" if self.peak is None else f"{self.peak:.0f}", f"{self.worst:.1f}",
            "" if self.crossed is None else str(self.crossed),
            "" if self.memory is None else "{:.0f} / {:.0f}".format(*self.memory),
        ]  # fmt: skip


def drawn(rows: list[Row]) -> str:
    """All rows under their heads, in columns."""
    lines = [list(HEADS), *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)
