"""What is worked out of a finished search: money, next steps, and where and by whom a lead was earned."""
