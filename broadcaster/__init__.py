"""The core of Daohu: alerts, dispatch, responses, escalation, and the processes that run them."""
