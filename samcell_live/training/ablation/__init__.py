"""The paper's ablation studies, redone from one file of settings."""
