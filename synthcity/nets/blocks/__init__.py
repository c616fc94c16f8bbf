"""Backbone blocks, one a file: (batch, seq, d_model) to the same, any seq >= 7, pre-norm residual inside."""
