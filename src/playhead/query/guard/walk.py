"""Every node of a tree, without recursion."""

from collections.abc import Iterator

from playhead.query.guard.nodes import Tree


def nodes_of(tree: Tree) -> Iterator[Tree]:
    """Yield every node that has a type; a node may be changed when it comes, not its parents."""
    stack: list[Tree] = [tree]
    while stack:
        node = stack.pop()
        yield node
        for value in node.values():
            if isinstance(value, dict):
                if "type" in value:
                    stack.append(value)
            elif isinstance(value, list):
                stack.extend(item for item in value if isinstance(item, dict) and "type" in item)
