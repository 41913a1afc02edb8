"""Medians as Markdown."""

from statistics import median

SCHEMES = {"hkzg": "Proof of SQL, HyperKZG", "dory": "Proof of SQL, Dory"}
GALEN = {"first": "Galen, first", "later": "Galen, later", "scalar": "Galen, later, scalar"}
SYSTEMS = GALEN | SCHEMES
NONE = "—"

# Heading, key of a measurement, digits after the point.
QUERY = [
    ("proving, wall s", "proving_s", 3),
    ("process, wall s", "process_s", 3),
    ("CPU s", "cpu_s", 3),
    ("peak MiB", "peak_mib", 0),
    ("proof, bytes", "proof_bytes", 0),
    ("all that is sent, bytes", "sent_bytes", 0),
    ("verifying, ms", "verify_ms", 1),
]
ONCE = [
    ("wall s", "wall_s", 3),
    ("CPU s", "cpu_s", 3),
    ("peak MiB", "peak_mib", 0),
    ("published, bytes", "public_bytes", 0),
]


def table(heading, columns, rows):
    """Markdown; a row is the texts that name it, and its measurements."""
    names = heading + [name for name, _, _ in columns]
    lines = [line(names), line(["---"] * len(heading) + ["---:"] * len(columns))]
    for texts, measurements in rows:
        lines.append(line(texts + [middle(measurements, key, digits) for _, key, digits in columns]))
    return "\n".join(lines)


def line(cells):
    return "| " + " | ".join(cells) + " |"


def middle(measurements, key, digits):
    """The median, or a dash where it is not measured."""
    values = [m[key] for m in measurements if m.get(key) is not None]
    return f"{median(values):,.{digits}f}" if values else NONE


def size(rows, found):
    """The tables of one number of rows. `found` has lists of measurements by query and system, and by step."""
    answers = [
        ([query, SYSTEMS[system]], measurements)
        for (query, system), measurements in sorted(found["answers"].items(), key=place)
    ]
    once = [([name], measurements) for name, measurements in found["once"].items()]
    return "\n".join(
        [
            f"## {rows:,} rows\n",
            table(["query", "system"], QUERY, answers),
            f"\nAnswers, the same of all systems: {agreed(found['agreed'])}.\n",
            table(["once for a table"], ONCE, once),
            "\n".join(f"\n{note}" for note in found["notes"]),
        ]
    )


def place(item):
    (query, system), _ = item
    return query, list(SYSTEMS).index(system)


def agreed(answers):
    """Rows of numbers in words."""
    return "; ".join(
        f"{query} {' and '.join(', '.join(map(str, row)) for row in rows)}"
        for query, rows in sorted(answers.items())
    )
