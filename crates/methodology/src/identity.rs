//! What makes two tables ask the same question.
