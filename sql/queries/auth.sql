-- name: userByEmail
select id, email, password_hash, role from users where email = $1::text;

-- name: userById
select id, email, role, created_at from users where id = $1::uuid;
