"""The electrocardiogram: signals made and measured (numpy, scipy), and files (`files/`)."""
