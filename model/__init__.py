"""The shipped classifier: runtime code beside its weights and card. It loads no torch."""
