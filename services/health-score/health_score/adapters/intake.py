"""The intake table: what became of every record, counted in the transaction of its effects, so that sums are exact."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.application.ports import IntakeCounts

_ADD = text("""
INSERT INTO intake (partition, folded, outcomes, repeated, conflicting, undecodable)
SELECT * FROM unnest(CAST(:partitions AS int[]), CAST(:folded AS bigint[]), CAST(:outcomes AS bigint[]),
    CAST(:repeated AS bigint[]), CAST(:conflicting AS bigint[]), CAST(:undecodable AS bigint[]))
ON CONFLICT (partition) DO UPDATE SET
    folded = intake.folded + EXCLUDED.folded, outcomes = intake.outcomes + EXCLUDED.outcomes,
    repeated = intake.repeated + EXCLUDED.repeated,
    conflicting = intake.conflicting + EXCLUDED.conflicting, undecodable = intake.undecodable + EXCLUDED.undecodable
""")


class PostgresIntake:
    """IntakeRepository on PostgreSQL."""

    async def add(self, tx: AsyncConnection, counts: Mapping[int, IntakeCounts]) -> None:
        """Add to the partitions' counts."""
        await tx.execute(
            _ADD,
            {
                "partitions": list(counts),
                "folded": [each.folded for each in counts.values()],
                "outcomes": [each.outcomes for each in counts.values()],
                "repeated": [each.repeated for each in counts.values()],
                "conflicting": [each.conflicting for each in counts.values()],
                "undecodable": [each.undecodable for each in counts.values()],
            },
        )
