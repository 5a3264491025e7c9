"""Compare: one metric of many clients, as lines over each other, side by side, or apart."""
