"""What a user does with speeches. Importing it loads no torch and no gradio, and has no effects."""

__version__ = "0.1.0"
