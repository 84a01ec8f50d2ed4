-- name: userByEmail
select id, email, password_hash, role from users where email = $1::text;

-- name: userById
select id, email, role, created_at from users where id = $1::uuid and deleted_at is null;

-- name: deletedUsers
-- Since then.
select id from users where deleted_at > $1::timestamptz;

-- name: retentionOf
select retention from users where id = $1::uuid;
