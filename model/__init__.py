"""The shipped classifier: runtime code beside its weights and card. It loads no torch and calls nobody."""

import sys

# Importing openvino reports to its makers through this package; without it, openvino uses an empty stand-in.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
