"""What comes in and how: clocks, gaps and what could not be used, for administrators."""
