"""AWS's IAM reference and the evaluation of policies, for the policy generator, `doctor` and the emulator."""
