"""Training by gradients: the loop with its optimiser and schedules, and the tasks that run in it."""
