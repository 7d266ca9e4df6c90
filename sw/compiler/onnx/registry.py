"""Tables of ONNX operators and the functions that lower them."""

from collections.abc import Callable, Sequence

from sw.compiler.onnx.node import Node, Value

#: From a node to its output, or its outputs in order.
Lowering = Callable[[Node], Value | Sequence[Value]]


class Table(dict[str, Lowering]):
    """Operator of ONNX's own domain to the function that lowers it."""

    def operator(self, *names: str) -> Callable[[Lowering], Lowering]:
        """Enters a function for these operators."""

        def enter(function: Lowering) -> Lowering:
            self.update(dict.fromkeys(names, function))
            return function

        return enter
