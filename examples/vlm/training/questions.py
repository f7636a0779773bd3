# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Questions about scenes, and the sequences they are packed into.

A multimodal sequence is

    <bos> <image> x 9  question ? answer  question ? answer  ...

with the nine image tokens standing for the nine patches of the scene.  A
text-only sequence either spells a scene out and asks the same questions, or
asks about short lists and sums.  An answer is always a single token.
"""

from vocab import BOS, COLUMNS, IMAGE, MAX_NUMBER, PAD_ID, ROWS, encode

NUM_PATCHES = 9
MAX_LENGTH = 64


def _random_line(rng):
    """The words for a random row or column, and the indices of its cells."""
    i = rng.randrange(3)
    if rng.random() < 0.5:
        return [ROWS[i], "row"], range(3 * i, 3 * i + 3)
    return [COLUMNS[i], "column"], range(i, 9, 3)


def _random_region(rng):
    """A row, a column or, one time in four, the whole scene."""
    if rng.random() < 0.25:
        return ["scene"], range(9)
    return _random_line(rng)


def _cell_words(cell):
    return [ROWS[cell // 3], COLUMNS[cell % 3]]


def _absent(grid):
    return [digit for digit in range(10) if digit not in grid]


def ask_digit(grid, rng):
    cell = rng.randrange(9)
    return ["digit", "at", *_cell_words(cell)], str(grid[cell])


def ask_count(grid, rng):
    # The count is drawn before the digit; else nearly all answers were 0 or 1.
    digits_of_count = {}
    for digit in range(10):
        digits_of_count.setdefault(grid.count(digit), []).append(digit)
    count = rng.choice(sorted(digits_of_count))
    return ["how", "many", str(rng.choice(digits_of_count[count]))], str(count)


def ask_any(grid, rng):
    absent = _absent(grid)
    if not absent or rng.random() < 0.5:
        return ["any", str(rng.choice(sorted(set(grid))))], "yes"
    return ["any", str(rng.choice(absent))], "no"


def ask_sum(grid, rng):
    words, cells = _random_line(rng)
    return ["sum", "of", *words], str(sum(grid[cell] for cell in cells))


def ask_largest(grid, rng):
    words, cells = _random_region(rng)
    return ["largest", "in", *words], str(max(grid[cell] for cell in cells))


def ask_smallest(grid, rng):
    words, cells = _random_region(rng)
    return ["smallest", "in", *words], str(min(grid[cell] for cell in cells))


def _larger_of(a, b):
    return "equal" if a == b else "first" if a > b else "second"


def ask_larger(grid, rng):
    # The answer is drawn first, so that "equal" is as frequent as the other two.
    wanted = rng.choice(("first", "second", "equal"))
    pairs = [
        (a, b) for a in range(9) for b in range(9) if a != b and _larger_of(grid[a], grid[b]) == wanted
    ]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return ["larger", *_cell_words(a), "or", *_cell_words(b)], wanted


def ask_where(grid, rng):
    """Which row, or column, holds the digit; only for digits that leave no doubt."""
    axis, names, line_of = rng.choice(
        (("row", ROWS, lambda cell: cell // 3), ("column", COLUMNS, lambda cell: cell % 3))
    )
    lines = {}
    for cell, digit in enumerate(grid):
        lines.setdefault(digit, set()).add(line_of(cell))
    clear = sorted(digit for digit, held in lines.items() if len(held) == 1)
    if not clear:
        return None
    digit = rng.choice(clear)
    return [axis, "of", str(digit)], names[lines[digit].pop()]


KINDS = {
    "digit": ask_digit,
    "count": ask_count,
    "any": ask_any,
    "sum": ask_sum,
    "largest": ask_largest,
    "smallest": ask_smallest,
    "larger": ask_larger,
    "where": ask_where,
}
KIND_NAMES = tuple(KINDS)

# Counting and adding are the slowest to learn and so are asked more often in training.
_TRAINING_WEIGHTS = {"count": 1.5, "sum": 2.0}


def ask_scene(grid, rng):
    """A question of a random kind about a grid: (question words, answer word)."""
    while True:
        kind = rng.choices(KIND_NAMES, [_TRAINING_WEIGHTS.get(name, 1.0) for name in KIND_NAMES])[0]
        turn = KINDS[kind](grid, rng)
        if turn is not None:
            return turn


def ask_text(rng):
    """A question that carries its own data: (question words, answer word)."""
    form = rng.randrange(4)
    if form == 0:
        a, b = rng.randint(0, MAX_NUMBER), rng.randint(0, MAX_NUMBER)
        if a + b <= MAX_NUMBER:
            return [str(a), "plus", str(b)], str(a + b)
        return [str(max(a, b)), "minus", str(min(a, b))], str(abs(a - b))
    if form == 1:
        a = rng.randrange(10)
        b = a if rng.random() < 0.25 else rng.randrange(10)
        return ["larger", str(a), "or", str(b)], _larger_of(a, b)
    palette = rng.sample(range(10), rng.randint(2, 10))
    if form == 2:
        values = [rng.choice(palette) for _ in range(rng.randint(2, 3))]
        return ["list", *map(str, values), ";", "sum"], str(sum(values))
    values = [rng.choice(palette) for _ in range(rng.randint(2, 6))]
    data = ["list", *map(str, values), ";"]
    question = rng.randrange(4)
    if question == 0:
        return [*data, "largest"], str(max(values))
    if question == 1:
        return [*data, "smallest"], str(min(values))
    digit = rng.choice(values) if rng.random() < 0.6 else rng.randrange(10)
    if question == 2:
        return [*data, "how", "many", str(digit)], str(values.count(digit))
    return [*data, "any", str(digit)], "yes" if digit in values else "no"


def image_prefix():
    return [BOS] + [IMAGE] * NUM_PATCHES


def spelled_prefix(grid):
    """The scene in words: each row's name, then its digits."""
    words = [BOS]
    for i, row in enumerate(ROWS):
        words += [row, *map(str, grid[3 * i : 3 * i + 3])]
    return words


def pack_turns(prefix, ask):
    """Prefix and as many turns as fit into MAX_LENGTH: (ids, positions of the answers)."""
    ids, answers = encode(prefix), []
    while True:
        question, answer = ask()
        turn = encode([*question, "?", answer])
        if len(ids) + len(turn) > MAX_LENGTH:
            return ids, answers
        ids += turn
        answers.append(len(ids) - 1)


def multimodal_sequence(grid, rng):
    return pack_turns(image_prefix(), lambda: ask_scene(grid, rng))


def text_sequence(rng, random_grid):
    """A text-only sequence, of either sort with equal chance."""
    if rng.random() < 0.5:
        grid = random_grid(rng)
        return pack_turns(spelled_prefix(grid), lambda: ask_scene(grid, rng))
    return pack_turns([BOS], lambda: ask_text(rng))


def pad(sequences, length):
    """Right-pads lists of ids to [n, length] nested lists."""
    return [ids + [PAD_ID] * (length - len(ids)) for ids in sequences]
