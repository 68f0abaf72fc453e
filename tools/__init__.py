"""What one runs beside the scripts, as python -m tools.NAME.
Read first: evaluate, benchmark, check_acc_loss, plotScript.
"""
