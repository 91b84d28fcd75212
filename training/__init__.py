"""`python -m training …`: data, splits, fine-tuning, calibration, quantisation, evaluation. Needs the `train` extra."""
