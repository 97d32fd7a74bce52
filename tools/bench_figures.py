"""What ``make bench`` measures, and the targets it holds the figures against."""

from dataclasses import dataclass

# Calls for 1,000 records, CPU per record and memory that a change must not exceed.
MOST_CALLS = {"first load": 11.0, "changes": 16.0, "creates": 11.0, "updates": 22.0}
MOST_CPU_MS = 1.0
# With lookup, link and one comment in ten: "whole" ones. A file may cost one call more.
WHOLE = "whole "
MOST_WHOLE_CALLS = 60.0
MOST_WHOLE_CPU_MS = 3.0
MOST_MEMORY_MB = 200.0
MEMORY_GROWTH = 1.25


@dataclass(frozen=True, slots=True)
class Measured:
    """One scenario's figures."""

    name: str
    records: int
    seconds: float
    calls: int
    cpu_ms: float  # per record
    memory_mb: float
    files: int = 0

    @property
    def calls_per_1000(self) -> float:
        """Return API calls to HubSpot for a thousand records, but for one call a file."""
        return (self.calls - self.files) * 1000 / self.records

    @property
    def most_calls(self) -> float:
        """Return the target."""
        return MOST_CALLS.get(self.name, MOST_WHOLE_CALLS)

    @property
    def most_cpu_ms(self) -> float:
        """Return the target."""
        return MOST_WHOLE_CPU_MS if self.name.startswith(WHOLE) else MOST_CPU_MS

    def line(self) -> str:
        """Return the row of the printed table."""
        return (
            f"{self.name:<16} {self.records:>8,} {self.records / self.seconds:>10,.0f} "
            f"{self.calls_per_1000:>12.1f} {self.cpu_ms:>10.2f} {self.memory_mb:>8.0f} "
            f"{self.files:>6}  {'miss' if self.faults() else 'pass'}"
        )

    def faults(self) -> list[str]:
        """Return what exceeds its target."""
        found = []
        if self.calls_per_1000 > self.most_calls:
            found.append(f"{self.name}: more than {self.most_calls:g} calls for 1,000 records")
        if self.cpu_ms > self.most_cpu_ms:
            found.append(f"{self.name}: more than {self.most_cpu_ms:g} ms CPU a record")
        if self.memory_mb > MOST_MEMORY_MB:
            found.append(f"{self.name}: more than {MOST_MEMORY_MB:g} MB")
        return found
