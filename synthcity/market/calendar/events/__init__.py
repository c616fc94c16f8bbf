"""What is known to come: releases, meetings, earnings and expiries, dated, with source and certainty."""
