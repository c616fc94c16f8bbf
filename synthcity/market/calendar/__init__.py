"""When markets trade, and what the clock says of steps to come: two clocks, sessions, holidays, learned weeks."""
