//! What observations break: dispatch to checks, posture, folding of repetitions.
