"""Disjoint sets: what is linked to what, directly or not."""

from collections import defaultdict
from collections.abc import Sequence


class Clusters:
    """Disjoint sets of `range(n)`, each number alone at first."""

    def __init__(self, n: int) -> None:
        self.parent = list(range(n))

    def root(self, i: int) -> int:
        """The number that stands for the set of `i`."""
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = self.parent[i]
        return i

    def join(self, members: Sequence[int]) -> None:
        """Make the sets of all `members` one."""
        first = self.root(members[0])
        for member in members[1:]:
            self.parent[self.root(member)] = first

    def larger_than_one(self) -> list[tuple[int, ...]]:
        """The sets that hold more than one number, by their first."""
        sets: dict[int, list[int]] = defaultdict(list)
        for i in range(len(self.parent)):
            sets[self.root(i)].append(i)
        return [tuple(members) for members in sets.values() if len(members) > 1]
